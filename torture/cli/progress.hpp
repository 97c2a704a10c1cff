// What a person sees while a torture runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace torture {

/// A live line on a terminal (time left, grace periods a second, worst grace period, failures); elsewhere
/// plain lines now and then. Colours only on a terminal and without NO_COLOR.
class Progress {
 public:
  Progress();

  void begin(const std::string& scenario, const std::string& flavor, double duration_s,
             const std::filesystem::path& scenario_dir);
  /// Call it a few times a second: reads the last sample.
  void tick();
  /// The scenario's last line: its verdict in a word and why.
  void end(const std::string& verdict, const std::string& why);

 private:
  std::string line() const;
  void clear();

  bool terminal_, color_;
  std::string scenario_;
  std::filesystem::path dir_;
  double duration_s_ = 0;
  uint64_t begin_ns_ = 0, shown_ns_ = 0;
};

}  // namespace torture
