#include "harness/engine/jobs.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/shared_pages.hpp"
#include "harness/supervise/unique_fd.hpp"

namespace engine {
namespace {

std::string as_json(const Report& it) {
  return nlohmann::json{{"executions", it.executions}, {"failed_in", it.failed_in}, {"seconds", it.seconds}, {"failed", it.failed},
                        {"broken", it.broken}, {"what", it.what}, {"token", it.token}, {"steps", it.steps},
                        {"shrunk_steps", it.shrunk_steps}, {"hash", it.hash}, {"story", it.story}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The last line that was said; broken, for the reason that `otherwise` gives, if there is none.
Report from_json(const std::string& said, const std::string& otherwise) {
  const size_t end = said.rfind('\n'), begin = end == said.npos || end == 0 ? said.npos : said.rfind('\n', end - 1);
  const auto json = nlohmann::json::parse(said.substr(begin == said.npos ? 0 : begin + 1), nullptr, false);
  Report it;
  if (json.is_discarded()) {
    it.broken = true;
    it.what = otherwise;
    return it;
  }
  it.executions = json["executions"];
  it.failed_in = json["failed_in"];
  it.seconds = json["seconds"];
  it.failed = json["failed"];
  it.broken = json["broken"];
  it.what = json["what"];
  it.token = json["token"];
  it.steps = json["steps"];
  it.shrunk_steps = json["shrunk_steps"];
  it.hash = json["hash"];
  it.story = json["story"];
  return it;
}

Report or_broken(const Work& work, Line& line) {
  try {
    return work(line);
  } catch (const std::exception& error) {
    Report report;
    report.broken = true;
    report.what = error.what();
    return report;
  }
}

/// Which execution each job is in.
class Executions {
 public:
  explicit Executions(size_t jobs) : jobs_(jobs), at_(static_cast<std::atomic<uint64_t>*>(harness::map_shared(jobs * sizeof *at_, "which execution is on"))) {
    for (size_t job = 0; job < jobs; ++job) new (&at_[job]) std::atomic<uint64_t>(Line::kNone);
  }
  ~Executions() { harness::unmap_shared(at_, jobs_ * sizeof *at_); }
  Executions(const Executions&) = delete;
  Executions& operator=(const Executions&) = delete;

  std::atomic<uint64_t>& operator[](size_t job) { return at_[job]; }

 private:
  size_t jobs_;
  std::atomic<uint64_t>* at_;
};

class Job {
 public:
  Job(const Work& work, std::atomic<uint64_t>& execution) : execution_(execution) {
    int ends[2];
    if (pipe(ends) != 0) throw harness::Broken("no pipe can be had");
    harness::UniqueFd to(ends[1]);
    from_ = harness::UniqueFd(ends[0]);
    process_ = std::make_unique<harness::Child>([&] {
      from_.reset();
      Line line(to.get(), execution);
      line.say(or_broken(work, line));
      return 0;
    });
  }

  int pipe_end() const { return from_.get(); }  ///< -1: it has ended.

  /// Of what it says, some. False: it will say no more.
  bool listen() {
    char buffer[4096];
    const ssize_t got = read(from_.get(), buffer, sizeof buffer);
    if (got > 0) said_.append(buffer, static_cast<size_t>(got));
    return got > 0 || (got < 0 && errno == EINTR);
  }

  void kill_if_blocked(double patience_s) {
    if (pipe_end() == -1) return;
    const uint64_t execution = execution_.load(std::memory_order_relaxed);  // a hint
    const auto stat = harness::proc_stat(process_->pid());
    if (!stat || !stillness_.look(execution, *stat)) return;
    const std::string where = harness::proc_line(process_->pid(), process_->pid(), "wchan");
    why_killed_ = fmt::format("execution {} blocks outside of the engine's sight: it slept for {:g} s{}; what waits has to be pthread's, or engine::env's",
                              execution + 1, patience_s, where.size() > 1 ? " in the kernel's " + where : "");
    process_->kill();
  }

  Report end() {
    from_.reset();
    const harness::Ended ended = *process_->wait(HUGE_VAL);
    return from_json(said_, why_killed_.empty() ? fmt::format("a job ended without a report: {}", ended.words()) : why_killed_);
  }

 private:
  std::atomic<uint64_t>& execution_;
  harness::UniqueFd from_;
  std::unique_ptr<harness::Child> process_;
  std::string said_, why_killed_;
  Stillness stillness_;
};

/// Until one says something, or has ended, or `until_ns`.
void wait_for(std::vector<pollfd>& polled, uint64_t until_ns) {
  const uint64_t now = harness::now_ns();
  const uint64_t left_ms = now < until_ns ? (until_ns - now) / 1'000'000 + 1 : 0;
  if (poll(polled.data(), polled.size(), static_cast<int>(std::min<uint64_t>(left_ms, 60'000))) >= 0) return;
  if (errno != EINTR) throw harness::Broken("no job can be waited for");
  for (pollfd& one : polled) one.revents = 0;
}

}  // namespace

void Line::say(const Report& report) {
  const std::string text = as_json(report) + "\n";
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(pipe_, text.data() + at, text.size() - at);
    if (written <= 0) _exit(3);
    at += static_cast<size_t>(written);
  }
}

bool Stillness::look(uint64_t execution, const harness::ProcStat& stat) {
  const bool sleeps = stat.state == 'S' || stat.state == 'D';
  const bool same = sleeps && execution != Line::kNone && execution == execution_ && stat.cpu_s == cpu_s_;
  still_ = same ? still_ + 1 : 0;
  execution_ = execution;
  cpu_s_ = stat.cpu_s;
  return still_ >= kLooks;
}

std::vector<Report> run_jobs(const std::vector<Work>& works, double patience_s, const std::function<void(const Report&)>& ended) {
  Executions executions(works.size());
  std::vector<std::unique_ptr<Job>> jobs;
  for (const Work& work : works) jobs.push_back(std::make_unique<Job>(work, executions[jobs.size()]));
  std::vector<Report> reports(jobs.size());
  const auto between_looks = static_cast<uint64_t>(patience_s / Stillness::kLooks * 1e9);
  uint64_t next_look = harness::now_ns() + between_looks;
  for (size_t left = jobs.size(); left != 0;) {
    std::vector<pollfd> polled;
    for (const auto& job : jobs) polled.push_back({job->pipe_end(), POLLIN, 0});  // -1 is passed over
    wait_for(polled, next_look);
    for (size_t job = 0; job < jobs.size(); ++job) {
      if (polled[job].revents == 0 || jobs[job]->listen()) continue;
      reports[job] = jobs[job]->end();
      ended(reports[job]);
      --left;
    }
    if (harness::now_ns() < next_look) continue;
    for (const auto& job : jobs) job->kill_if_blocked(patience_s);
    next_look = harness::now_ns() + between_looks;
  }
  return reports;
}

}  // namespace engine
