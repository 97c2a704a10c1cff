#include "torture/cli/progress.hpp"

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/say.hpp"

namespace torture {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// The last whole line of a file that grows, without reading all of it.
std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::streamoff>(in.tellg());
  const std::streamoff from = std::max<std::streamoff>(0, size - 4096);
  in.seekg(from);
  std::string tail(static_cast<size_t>(size - from), '\0');
  in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  const size_t end = tail.rfind('\n');
  if (end == std::string::npos) return {};
  const size_t begin = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  return tail.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO)), color_(terminal_ && !getenv("NO_COLOR")) {}

void Progress::begin(const std::string& scenario, const std::string& flavor, double duration_s,
                     const std::filesystem::path& scenario_dir) {
  clear();
  shown_ns_ = harness::now_ns();
  running_.push_back({scenario, scenario_dir, duration_s, shown_ns_});
  harness::say(stderr, "{}: {} for {}\n", scenario, flavor, harness::duration_words(duration_s));
}

std::string Progress::line(std::span<const Running> running) {
  std::string names, work;
  double left = 0, gps_a_second = 0, reads = 0, worst_ns = 0, failures = 0;
  for (const Running& r : running) {
    names += (names.empty() ? "" : " + ") + r.scenario;
    left = std::max(left, r.duration_s - static_cast<double>(harness::now_ns() - r.begin_ns) / 1e9);
    const auto sample = nlohmann::json::parse(last_line(r.dir / "stats.jsonl"), nullptr, false);
    if (!sample.is_object()) continue;
    gps_a_second += sample.value("gps", 0.0) / std::max(sample.value("t_s", 0.0), 0.001);
    reads += sample.value("reads", 0.0);
    worst_ns = std::max(worst_ns, sample.value("gp_max_ns", 0.0));
    failures += sample.value("failures", 0.0);
    work = fmt::format(
        ", {:.0f} grace periods/s, {:.2e} reads, worst grace period now {:.2f} ms, {:.0f} failures",
        gps_a_second, reads, worst_ns / 1e6, failures);
  }
  return fmt::format("{}: {:.0f} s left{}", names, left, work);
}

void Progress::tick() {
  const uint64_t every = terminal_ ? kSecond : 60 * kSecond;
  if (running_.empty() || harness::now_ns() - shown_ns_ < every) return;
  shown_ns_ = harness::now_ns();
  if (terminal_) {
    // Clipped at the right edge: a line that wraps cannot be taken back.
    harness::say(stderr, "\r\033[K\033[?7l{}\033[?7h", line(running_));
  } else {
    for (const Running& r : running_) harness::say(stderr, "{}\n", line({&r, 1}));
  }
  std::fflush(stderr);
}

void Progress::clear() {
  if (terminal_) harness::say(stderr, "\r\033[K");
}

void Progress::end(const std::string& scenario, const std::string& verdict, const std::string& why) {
  clear();
  std::erase_if(running_, [&scenario](const Running& r) { return r.scenario == scenario; });
  const std::string text = why.empty() ? verdict : fmt::format("{} ({})", verdict, why);
  if (color_) {
    const auto color = verdict == "SUCCESS" ? fmt::terminal_color::green : fmt::terminal_color::red;
    harness::say(stderr, "{}: {}\n", scenario, fmt::format(fmt::fg(color), "{}", text));
  } else {
    harness::say(stderr, "{}: {}\n", scenario, text);
  }
}

}  // namespace torture
