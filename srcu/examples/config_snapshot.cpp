// A configuration that many threads read all the time, and one replaces: config_snapshot.c in C++. The domain is of the
// fast kind, so a reader executes no fence; and the updater does not wait, but has old versions deleted later.
//
// c++ -std=c++17 config_snapshot.cpp $(pkg-config --cflags --libs srcu) && ./a.out
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <srcu/srcu.hpp>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kReaders = 3, kMeetings = 2000;
std::atomic<long> alive{0}, reads{0}, wrong{0}, meetings{0};

// Derived from srcu::retirable, it can be retired without allocating.
struct config : srcu::retirable {
  explicit config(int number) : version(number), text(std::to_string(number)) { ++alive; }
  ~config() {
    version = -1;  // a reader that still looked at it would find it wrong
    --alive;
  }
  int version;
  std::string text;
};

class Settings {
 public:
  explicit Settings(int version) : current_(new config(version)) {}
  ~Settings() { delete current_.load(std::memory_order_relaxed); }

  /// Calls `use` with the current version, which stays valid meanwhile.
  template <class Use>
  auto read(Use use) {
    const srcu::read_guard reading(domain_);
    return use(*current_.load(std::memory_order_consume));
  }
  void replace(config* fresh) { srcu::retire(domain_, current_.exchange(fresh, std::memory_order_acq_rel)); }
  /// Returns when all that was replaced is deleted.
  void settle() { domain_.barrier(); }

 private:
  srcu::fast_domain domain_;  // before what it protects: it ends last
  std::atomic<config*> current_;
};

void read_until(Settings& settings, const std::atomic<bool>& stop) {
  int newest = -1;
  while (!stop.load(std::memory_order_relaxed)) {
    const int version = settings.read([newest](const config& found) {
      if (found.version < newest || found.text != std::to_string(found.version)) ++wrong;
      return found.version;
    });
    if (version != newest) ++meetings;
    newest = version;
    ++reads;
  }
}

}  // namespace

int main() {
  Settings settings(0);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) readers.emplace_back([&] { read_until(settings, stop); });

  int version = 0;
  while (meetings < kMeetings) {
    settings.replace(new config(++version));
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  stop.store(true, std::memory_order_relaxed);
  for (std::thread& reader : readers) reader.join();
  settings.settle();

  std::cout << version << " versions, " << reads << " reads, " << meetings << " times a reader met a new version, " << wrong
            << " reads wrong, " << alive << " version left\n";
  return wrong == 0 && alive == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
