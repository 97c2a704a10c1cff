#include "torture/kernel/cell_process.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/stacks.hpp"

namespace torture {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kLimitNs = 10'000'000'000;
constexpr size_t kMostWords = 4 << 20;
constexpr double kDebuggerS = 10;

// The hidden command is typed by nobody.
int number_of(const std::string& text) {
  int number = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || number < 0)
    throw harness::UsageError(fmt::format("{} is for the program itself: run srcutorture matrix", kCellCommand));
  return number;
}

void write_all(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // The parent finds no whole answer, and says so.
    done += static_cast<size_t>(wrote);
  }
}

// Threads that hang stay behind; the process is over with its answer.
[[noreturn]] void tell(const CellOutcome& outcome, void* fd) {
  const Json answer = {{"check", outcome.check}, {"evidence", outcome.evidence}, {"tries", outcome.tries},
                       {"p50_ns", outcome.p50_ns}, {"p99_ns", outcome.p99_ns}, {"needless", outcome.needless}};
  write_all(*static_cast<int*>(fd), answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  _exit(0);
}

int exec_cell(const Cell& cell, Way way, int answer, int words) {
  dup2(words, STDOUT_FILENO);
  dup2(words, STDERR_FILENO);
  std::vector<std::string> arguments = cell_arguments(cell, way, answer);
  arguments.insert(arguments.begin(), {"srcutorture", kCellCommand});
  std::vector<char*> argv;
  for (std::string& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  execv("/proc/self/exe", argv.data());
  throw harness::Broken(fmt::format("cannot start a cell's process: {}", std::strerror(errno)));
}

}  // namespace

std::vector<std::string> cell_arguments(const Cell& cell, Way way, int fd) {
  return {cell.context,
          cell.strategy,
          cell.instance,
          cell.domain,
          cell.pace,
          cell.preempt_rt ? "rt" : "no-rt",
          way == Way::kProver ? "prover" : "real",
          std::to_string(fd)};
}

int cell_command(const std::vector<std::string>& arguments) {
  const std::vector<std::string>& a = arguments;
  int fd = number_of(a.size() == 8 ? a[7] : "");
  run_cell({a[0], a[1], a[2], a[3], a[4], a[5] == "rt"}, a[6] == "prover" ? Way::kProver : Way::kReal, tell, &fd);
  throw harness::Broken("the cell ended without an outcome");
}

CellProcess::Memo::Memo(const char* name) : fd_(memfd_create(name, 0)) {
  if (fd_ < 0) throw harness::Broken(fmt::format("no memory for a cell's answer: {}", std::strerror(errno)));
}

CellProcess::Memo::~Memo() { close(fd_); }

std::string CellProcess::Memo::text() const {
  const off_t size = lseek(fd_, 0, SEEK_END);
  std::string text(std::clamp<size_t>(size < 0 ? 0 : static_cast<size_t>(size), 0, kMostWords), '\0');
  const ssize_t got = pread(fd_, text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return text;
}

CellProcess::CellProcess(const Cell& cell, Way way)
    : child_(std::make_unique<harness::Child>(
          [&cell, way, this] { return exec_cell(cell, way, answer_.fd(), words_.fd()); })),
      patience_(kCellLookMs * 1'000'000) {}

bool CellProcess::step() {
  if (!ended_) ended_ = child_->wait(0);
  if (ended_) return true;
  waited_ns_ += patience_.tick(harness::now_ns());
  if (waited_ns_ < kLimitNs) return false;
  stacks_ = harness::take_stacks(child_->pid(), nullptr, {.gdb_s = kDebuggerS}).text;
  ended_ = child_->kill();
  return true;
}

std::optional<CellOutcome> CellProcess::told() const {
  const Json answer = Json::parse(answer_.text(), nullptr, false);
  if (!answer.is_object()) return {};
  return CellOutcome{answer.value("check", "ok"), answer.value("evidence", ""), answer.value("tries", 0U),
                     answer.value("p50_ns", 0.0), answer.value("p99_ns", 0.0), answer.value("needless", 0.0)};
}

CellOutcome CellProcess::outcome() {
  if (std::optional<CellOutcome> outcome = told()) return *outcome;
  const std::string words = words_.text();
  // Status 2 and 3 are the program's own: it refused the cell, or could not run it.
  if (ended_->exit_code == 2 || ended_->exit_code == 3)
    throw harness::Broken("a cell's process could not do its job: " + words);
  if (!stacks_.empty())
    return {.check = "stalled_gp",
            .evidence = fmt::format("nothing was told within {} s\n{}{}", kLimitNs / 1'000'000'000, words, stacks_)};
  return {.check = "crash", .evidence = fmt::format("its process {}\n{}", ended_->words(), words)};
}

}  // namespace torture
