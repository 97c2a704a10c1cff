#include "torture/threads/events.hpp"

#include "harness/base/clock.hpp"

namespace torture {

Events::Events(const std::filesystem::path& scenario_dir, uint64_t start_ns)
    : start_ns_(start_ns), file_(scenario_dir / "events.jsonl") {}

void Events::say(std::string_view event, nlohmann::ordered_json fields) {
  say_at(harness::now_ns(), event, std::move(fields));
}

void Events::say_at(uint64_t at_ns, std::string_view event, nlohmann::ordered_json fields) {
  const double t_s = at_ns > start_ns_ ? static_cast<double>(at_ns - start_ns_) / 1e9 : 0.0;
  nlohmann::ordered_json line = {{"t_s", t_s}, {"event", event}};
  line.update(fields);
  const std::lock_guard lock(mutex_);
  file_.line(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace torture
