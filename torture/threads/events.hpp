// events.jsonl: what happened when, one object a line.
#pragma once

#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/record/files.hpp"

namespace torture {

/// Appends {"t_s": seconds since the start, "event": name, ...} lines, each whole or not there. Any thread,
/// no signal handlers. Broken when the disk is full.
class Events {
 public:
  /// `start_ns`: CLOCK_MONOTONIC at t_s = 0.
  Events(const std::filesystem::path& scenario_dir, uint64_t start_ns);

  void say(std::string_view event, nlohmann::ordered_json fields = nlohmann::ordered_json::object());
  void say_at(uint64_t at_ns, std::string_view event,
              nlohmann::ordered_json fields = nlohmann::ordered_json::object());

  uint64_t start_ns() const { return start_ns_; }

 private:
  uint64_t start_ns_;
  std::mutex mutex_;
  harness::Appender file_;
};

}  // namespace torture
