#include "torture/threads/console.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace torture {

Console::Console(const std::filesystem::path& scenario_dir, const Ops& ops, const Params& params,
                 const Roles& roles, double duration_s)
    : file_(scenario_dir / "console.log"),
      ops_(ops),
      params_(params),
      roles_(roles),
      duration_s_(duration_s) {}

void Console::note(const std::string& words) { file_.line(fmt::format("{}-torture: {}", ops_.name, words)); }

void Console::banner(const std::string& tag) {
  const auto s = [](int64_t ns) { return ns / 1'000'000'000; };
  file_.line(fmt::format(
      "{}-torture:--- {}: nreaders={} nwriters={} nfakewriters={} stat_interval={} verbose=1 "
      "test_no_idle_hz=0 "
      "shuffle_interval={} stutter={} irqreader={} fqs_duration=0 fqs_holdoff=0 fqs_stutter=0 test_boost=0/0 "
      "test_boost_interval=0 test_boost_duration=0 test_boost_holdoff=0 shutdown_secs={:.0f} stall_cpu=0 "
      "stall_cpu_holdoff=0 stall_cpu_irqsoff=0 stall_cpu_block=0 stall_cpu_repeat=0 n_barrier_cbs={} "
      "onoff_interval=0 "
      "onoff_holdoff=0 read_exit_delay={} read_exit_burst={} reader_flavor=1 nocbs_nthreads=0 nocbs_toggle=0 "
      "test_nmis=0 nmi_calls={} preempt_duration=0 preempt_interval=0 n_up_down={}",
      ops_.name, tag, roles_.readers, roles_.updaters, roles_.fakewriters, s(params_.stat_interval),
      s(params_.shuffle_interval), s(params_.stutter), roles_.signals ? 1 : 0, duration_s_, roles_.posters,
      s(params_.read_exit_delay), params_.read_exit_burst, roles_.signal_posts ? 1 : 0, roles_.up_down));
}

void Console::start(const Totals& totals) {
  banner("Start of test");
  file_.line(fmt::format("{}:  Start-test grace-period state: g{} f0x0", ops_.name, totals.gp_seq));
  for (const std::string& words : roles_.left_out) note(words);
}

bool Console::statistics(const Totals& t, const void* current, const Errors& errors) {
  const bool grown = t.versions > version_;
  version_ = t.versions;
  file_.line(fmt::format(
      "{}-torture: rtc: {:016x} {}: {} tfle: {} rta: {} rtaf: {} rtf: {} rtmbe: {} rtmbkf: 0/0 rtbe: {} "
      "rtbke: 0 rtbf: 0 rtb: 0 nt: {} ni: 0 onoff: 0/0:0/0 -1,0:-1,0 0:0 (HZ=100) barrier: {}/{}:{} "
      "read-exits: "
      "{} nmi-calls: {} nmi-cbs: {} nocb-toggles: 0:0 gpwraps: 0",
      ops_.name, reinterpret_cast<uintptr_t>(current), grown ? "ver" : "VER", t.versions, t.starving ? 1 : 0,
      t.left_stage[0], t.starved, t.left_stage[kPipeLength - 1], errors.memory, errors.barrier,
      t.signal_reads, t.barriers, t.barriers, errors.barrier, t.read_exits, t.signal_posts, t.signal_callbacks));
  file_.line(fmt::format("{}-torture: {}Reader Pipe:  {}", ops_.name, errors.all ? "!!! " : "",
                         fmt::join(t.pipe, " ")));
  file_.line(fmt::format("{}-torture: Reader Batch:  {}", ops_.name, fmt::join(t.batch, " ")));
  file_.line(fmt::format("{}-torture: Free-Block Circulation:  {}", ops_.name, fmt::join(t.left_stage, " ")));
  return grown;
}

void Console::writer_stall(const char* doing, int code, const Totals& totals, char state, int cpu) {
  file_.line(fmt::format("??? Writer stall state {}({}) g{} f0x0 ->state {} cpu {}", doing, code,
                         totals.gp_seq, state, cpu));
}

void Console::state(void* domain) {
  if (!ops_.print_state) return;
  char* text = nullptr;
  size_t size = 0;
  FILE* file = open_memstream(&text, &size);
  if (!file) return note("no state of the scheme: out of memory");
  ops_.print_state(domain, file);
  std::fclose(file);
  std::istringstream lines(text);
  std::free(text);
  for (std::string line; std::getline(lines, line);) note("state: " + line);
}

void Console::end(const Totals& totals, bool success) {
  file_.line(fmt::format("{}:  End-test grace-period state: g{} f0x0 total-gps={}", ops_.name, totals.gp_seq,
                         totals.gps));
  banner(success ? "End of test: SUCCESS" : "End of test: FAILURE");
}

}  // namespace torture
