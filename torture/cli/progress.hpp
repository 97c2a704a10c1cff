// What a person sees while a torture runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace torture {

/// A live line on a terminal (time left, grace periods a second, worst grace period, failures; of all running
/// scenarios together); elsewhere plain lines now and then, one a scenario. Colours only on a terminal and
/// without NO_COLOR.
class Progress {
 public:
  Progress();

  void begin(const std::string& scenario, const std::string& flavor, double duration_s,
             const std::filesystem::path& scenario_dir);
  /// Call it a few times a second: reads the last samples.
  void tick();
  /// The scenario's last line: its verdict in a word and why.
  void end(const std::string& scenario, const std::string& verdict, const std::string& why);

 private:
  struct Running {
    std::string scenario;
    std::filesystem::path dir;
    double duration_s;
    uint64_t begin_ns;
  };
  static std::string line(std::span<const Running> running);
  void clear();

  bool terminal_, color_;
  std::vector<Running> running_;
  uint64_t shown_ns_ = 0;
};

}  // namespace torture
