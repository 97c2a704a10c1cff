// Threads that a torture takes along without knowing what they do, but that they post to its domain.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "torture/threads/world.hpp"

namespace torture {

/// Made before the scheme's domain is.
class Company {
 public:
  virtual ~Company() = default;

  /// Starts the threads; the gate is closed. Broken if that cannot be.
  virtual void start(World& world) = 0;
  /// After World::stop: all have ended their bodies.
  virtual bool all_ended() const = 0;
  /// Then: joins them. Nobody posts afterwards.
  virtual void stop() = 0;

  /// \name Its threads, counted from 0; any time
  /// @{
  virtual unsigned threads() const = 0;
  virtual uint64_t steps(unsigned thread) const = 0;  ///< A thread that takes none stands still in the scheme's code.
  /// @}

  /// \name Accounts; any time
  /// @{
  virtual uint64_t posted() const = 0;
  virtual uint64_t invoked() const = 0;
  virtual uint64_t doubled() const = 0;  ///< Callbacks for heads that were not posted.
  virtual nlohmann::ordered_json counts() const = 0;  ///< Posts by context, for the last event.
  virtual nlohmann::ordered_json invoked_counts() const = 0;  ///< Callbacks by the context of their posts.
  virtual std::string missing() const = 0;  ///< In words, which contexts' posts have had no callback yet; empty if none.
  /// @}

  struct Trouble {
    Check check;
    std::string message, evidence;
    bool stuck;  ///< Threads hang.
  };
  /// The next thing that it found by itself, once.
  virtual std::optional<Trouble> trouble() = 0;
};

}  // namespace torture
