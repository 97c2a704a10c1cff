#include "harness/engine/campaign.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <functional>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "harness/base/clock.hpp"
#include "harness/base/errors.hpp"
#include "harness/base/splitmix.hpp"
#include "harness/engine/crash.hpp"
#include "harness/engine/shrink.hpp"
#include "harness/engine/story.hpp"
#include "harness/engine/token.hpp"
#include "harness/supervise/child.hpp"
#include "harness/supervise/shared_pages.hpp"
#include "harness/supervise/unique_fd.hpp"

namespace engine {
namespace {

constexpr size_t kStoryLines = 30;
constexpr size_t kMostSeen = 1'000'000;  // hashes are kept

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

uint64_t mixed(uint64_t seed, uint64_t index) {
  uint64_t stream = seed + index * 0x9e3779b97f4a7c15u;  // as far on as if `index` numbers had been drawn
  return harness::splitmix(stream);
}

std::string as_json(const Report& it) {
  return nlohmann::json{{"executions", it.executions}, {"distinct", it.distinct}, {"failed_in", it.failed_in}, {"seconds", it.seconds}, {"failed", it.failed}, {"broken", it.broken},
                        {"what", it.what}, {"token", it.token}, {"steps", it.steps}, {"shrunk_steps", it.shrunk_steps},
                        {"hash", it.hash}, {"story", it.story}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A line. What is said last counts.
void say_to(int pipe, const Report& report) {
  const std::string text = as_json(report) + "\n";
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(pipe, text.data() + at, text.size() - at);
    if (written <= 0) _exit(3);
    at += static_cast<size_t>(written);
  }
}

void tell_failure(Run& run, const Test& test, const Settings& settings, const Outcome& found, Report& report, int pipe) {
  report.steps = found.steps;
  report.hash = found.hash;
  report.token = to_text({build_id(), test.name, settings});
  report.failed = true;
  report.what = found.what + " (what came of shortening it is not known)";
  report.shrunk_steps = found.steps;
  say_to(pipe, report);  // on the way the code may do what ends the process
  const Shrunk shrunk = shrink(run, test, settings, found);
  end_watch();
  if (!shrunk.repeats) {  // something decides what neither seed nor engine does
    report.failed = false;
    report.broken = true;
    report.what = fmt::format("a failure that does not repeat: {}; {}", tell(found), report.token);
    return;
  }
  report.what = tell(shrunk.outcome);
  report.shrunk_steps = shrunk.outcome.steps;
  report.story = tell(shrunk.recording, shrunk.outcome, kStoryLines);
}

/// What jobs know of each other: executions from this one on are not wanted any more. A hint, relaxed: reports come by pipes.
class Wanted {
 public:
  Wanted() : end_(new (harness::map_shared(sizeof *end_, "what jobs know of each other")) std::atomic<uint64_t>(UINT64_MAX)) {}
  ~Wanted() { harness::unmap_shared(end_, sizeof *end_); }
  Wanted(const Wanted&) = delete;
  Wanted& operator=(const Wanted&) = delete;

  bool is(uint64_t execution) const { return execution < end_->load(std::memory_order_relaxed); }
  void only_before(uint64_t execution) {
    uint64_t now = end_->load(std::memory_order_relaxed);
    while (execution < now && !end_->compare_exchange_weak(now, execution, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<uint64_t>* const end_;
};

/// Executions job, job + jobs, ... of the campaign. The first that fails is the same however fast the jobs are: each goes on to it.
Report one_job(const Test& test, const Plan& plan, unsigned job, Wanted& wanted, int pipe) {
  Run run;
  watch_for_crashes(run);
  Report report;
  std::unordered_set<uint64_t> seen;
  uint32_t steps_expected = 10;  // grows with what is seen
  const double begun = cpu_seconds();
  const uint64_t deadline = plan.seconds > 0 ? harness::now_ns() + static_cast<uint64_t>(plan.seconds * 1e9) : 0;
  for (uint64_t i = job; wanted.is(i) && (deadline != 0 || i < plan.executions); i += plan.jobs) {
    if (deadline != 0 && report.executions % 64 == 0 && harness::now_ns() > deadline) break;
    const Settings settings = settings_of(plan, i, steps_expected);
    const Outcome outcome = run.execute(test, settings);
    ++report.executions;
    report.hash = mixed(report.hash, outcome.hash);
    if (seen.size() < kMostSeen) seen.insert(outcome.hash);
    report.distinct = seen.size();
    if (plan.each_twice && run.execute(test, settings).hash != outcome.hash) {
      report.broken = true;
      report.what = fmt::format("an execution is not the same the second time: {}", to_text({build_id(), test.name, settings}));
      break;
    }
    if (!outcome.fine()) {
      wanted.only_before(i);
      report.failed_in = i;
      report.seconds = cpu_seconds() - begun;
      tell_failure(run, test, settings, outcome, report, pipe);
      return report;
    }
    steps_expected = std::max(steps_expected, outcome.steps);
  }
  report.seconds = cpu_seconds() - begun;
  return report;
}

Report from_json(const std::string& said, const harness::Ended& ended) {
  const size_t end = said.rfind('\n'), begin = end == said.npos || end == 0 ? said.npos : said.rfind('\n', end - 1);
  const auto json = nlohmann::json::parse(said.substr(begin == said.npos ? 0 : begin + 1), nullptr, false);
  Report it;
  if (json.is_discarded()) {
    it.broken = true;
    it.what = fmt::format("a job ended without a report: {}", ended.words());
    return it;
  }
  it.executions = json["executions"];
  it.distinct = json["distinct"];
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

struct Job {
  std::unique_ptr<harness::Child> process;
  harness::UniqueFd from;
  std::string said;
};

/// Given where it may say more than its end.
using Work = std::function<Report(int pipe)>;

Report or_broken(const Work& work, int pipe) {
  try {
    return work(pipe);
  } catch (const std::exception& error) {
    Report report;
    report.broken = true;
    report.what = error.what();
    return report;
  }
}

Job start_job(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) throw harness::Broken("no pipe can be had");
  harness::UniqueFd from(ends[0]), to(ends[1]);
  auto process = std::make_unique<harness::Child>([&] {
    from.reset();
    say_to(to.get(), or_broken(work, to.get()));
    return 0;
  });
  return {std::move(process), std::move(from), {}};
}

Report end_job(Job& job) {
  char buffer[4096];
  for (ssize_t got; (got = read(job.from.get(), buffer, sizeof buffer)) > 0;) job.said.append(buffer, static_cast<size_t>(got));
  job.from.reset();
  return from_json(job.said, *job.process->wait(HUGE_VAL));
}

/// Of those that did not end yet, one that says something, or has ended.
size_t next_to_end(const std::vector<Job>& jobs) {
  std::vector<pollfd> polled;
  for (const Job& job : jobs) polled.push_back({job.from.get(), POLLIN, 0});  // -1 is passed over
  while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  const auto ready = std::find_if(polled.begin(), polled.end(), [](const pollfd& one) { return one.revents != 0; });
  if (ready == polled.end()) throw harness::Broken("no job can be waited for");
  return static_cast<size_t>(ready - polled.begin());
}

}  // namespace

Settings settings_of(const Plan& plan, uint64_t index, uint32_t steps_expected) {
  Settings settings = plan.settings;
  settings.seed = mixed(plan.settings.seed, index);
  settings.steps_expected = steps_expected;
  if (plan.each_handler) settings.handler_at = 1 + static_cast<uint32_t>(index % steps_expected);
  if (plan.mix) {  // the two find different things: bugs that need one long delay, and bugs that need a fine mesh
    settings.strategy = index % 2 == 0 ? Strategy::kPos : Strategy::kPct;
    settings.depth = index % 4 == 1 ? 3 : 5;
  }
  return settings;
}

/// A failure was seen, whatever broke elsewhere.
bool worse(const Report& one, const Report& than) {
  if (one.failed) return !than.failed || one.failed_in < than.failed_in;
  return one.broken && !than.failed && !than.broken;
}

Report run_campaign(const Test& test, const Plan& plan) {
  Wanted wanted;
  std::vector<Job> jobs;
  for (unsigned job = 0; job < plan.jobs; ++job) jobs.push_back(start_job([&, job](int pipe) { return one_job(test, plan, job, wanted, pipe); }));
  std::vector<Report> reports(jobs.size());
  for (size_t ended = 0; ended < jobs.size(); ++ended) {
    const size_t job = next_to_end(jobs);
    reports[job] = end_job(jobs[job]);
    if (reports[job].broken && plan.seconds > 0) wanted.only_before(0);  // otherwise what the others do would be chance
  }
  Report all;
  for (Report& one : reports) {
    all.executions += one.executions;
    all.seconds += one.seconds;
    all.distinct = std::max(all.distinct, one.distinct);
    if (worse(one, all)) {
      one.executions = all.executions;
      one.distinct = all.distinct;
      one.seconds = all.seconds;
      all = std::move(one);
    } else if (!all.failed) {
      all.hash = mixed(all.hash, one.hash);
    }
  }
  if (all.failed) all.executions = all.failed_in + 1;  // how many the others made meanwhile is chance
  return all;
}

Report run_once(const Test& test, const Settings& settings, bool in_full) {
  Job job = start_job([&](int pipe) {
    Run run;
    watch_for_crashes(run);
    Report report;
    Recording recording;
    if (in_full) run.record_to(&recording);
    const Outcome outcome = run.execute(test, settings);
    run.record_to(nullptr);
    report.executions = 1;
    report.steps = outcome.steps;
    report.hash = outcome.hash;
    if (!outcome.fine()) tell_failure(run, test, settings, outcome, report, pipe);
    end_watch();
    if (in_full) report.story = tell_in_full(recording);
    return report;
  });
  return end_job(job);
}

}  // namespace engine
