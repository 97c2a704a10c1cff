#include "harness/engine/token.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "harness/base/errors.hpp"
#include "harness/engine/orders.hpp"

namespace engine {
namespace {

constexpr std::string_view kVersion = "e2";

int first_object(dl_phdr_info* info, size_t, void* to) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    const char* const end = at + header.p_memsz;
    const auto padded = [](uint32_t bytes) { return (bytes + 3u) & ~3u; };
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const auto& note = *reinterpret_cast<const ElfW(Nhdr)*>(at);
      const char* const name = at + sizeof note;
      const char* const content = name + padded(note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
        for (unsigned byte = 0; byte < note.n_descsz && byte < 8; ++byte)
          *static_cast<std::string*>(to) += fmt::format("{:02x}", static_cast<unsigned char>(content[byte]));
      at = content + padded(note.n_descsz);
    }
  }
  return 1;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t from = 0;;) {
    const size_t colon = text.find(':', from);
    parts.push_back(text.substr(from, colon - from));
    if (colon == text.npos) return parts;
    from = colon + 1;
  }
}

bool is_version(std::string_view text) {
  return text.size() > 1 && text[0] == 'e' && std::all_of(text.begin() + 1, text.end(), [](char one) { return one >= '0' && one <= '9'; });
}

/// A number that an execution can be made with, or what is wrong with it.
template <class Number>
void read(std::string_view text, Number& number, int base = 10, Number least = 0, Number most = std::numeric_limits<Number>::max()) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) throw harness::UsageError(fmt::format("'{}' in the token is no number", text));
  if (number < least || number > most) throw harness::UsageError(fmt::format("'{}' in the token is not within {} and {}", text, least, most));
}

}  // namespace

std::string build_id() {
  std::string id;
  dl_iterate_phdr(first_object, &id);
  return id.empty() ? "none" : id;
}

const char* name_of(Model model) {
  switch (model) {
    case Model::kTso: return "tso";
    case Model::kX86: return "x86";
    case Model::kCpp: break;
  }
  return "cpp";
}

Model model_of(std::string_view name) { return name == "tso" ? Model::kTso : name == "x86" ? Model::kX86 : Model::kCpp; }

const char* name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::kRandom: return "random";
    case Strategy::kPct: return "pct";
    case Strategy::kPos: break;
  }
  return "pos";
}

std::string to_text(const Token& token) {
  const Settings& it = token.settings;
  return fmt::format("{}:{}:{}:{}:{}:{}:{}:{}:{}:{:x}:{}:{}:{:x}:{:x}{}{}", kVersion, token.build, token.test, name_of(it.model),
                     name_of(it.strategy), it.depth, it.steps_expected, it.stale_percent, it.stale_in_a_row, it.faults,
                     it.step_limit, it.handler_at, it.seed, token.hash, it.dropped.empty() ? "" : ":", it.dropped);
}

Token from_text(std::string_view text) {
  const auto parts = split(text);
  if (!is_version(parts[0]) || parts.size() == 1) throw harness::UsageError("that is not a token of a controlled execution");
  if (parts[0] != kVersion)  // first: of another version there may be more parts, or fewer
    throw harness::UsageError(fmt::format("the token's version is {}, this program's {}", parts[0], kVersion));
  if (parts.size() != 14 && parts.size() != 15) throw harness::UsageError(fmt::format("the token has {} parts, not 14 or 15: is it whole?", parts.size()));
  if (parts[1] != build_id())
    throw harness::UsageError(
        fmt::format("the token is of build {}, this is {}: only the same binary repeats an execution", parts[1], build_id()));
  Token token{std::string(parts[1]), std::string(parts[2]), {}, 0};
  Settings& it = token.settings;
  it.model = model_of(parts[3]);
  it.strategy = parts[4] == "random" ? Strategy::kRandom : parts[4] == "pct" ? Strategy::kPct : Strategy::kPos;
  if (parts[3] != name_of(it.model) || parts[4] != name_of(it.strategy))
    throw harness::UsageError(fmt::format("the token's model {} or strategy {} is not known", parts[3], parts[4]));
  read(parts[5], it.depth, 10, 1u, kMostDepth);
  read(parts[6], it.steps_expected, 10, 1u);
  read(parts[7], it.stale_percent, 10, 0u, 100u);
  read(parts[8], it.stale_in_a_row);
  read(parts[9], it.faults, 16);
  read(parts[10], it.step_limit, 10, 1u);
  read(parts[11], it.handler_at);
  read(parts[12], it.seed, 16);
  read(parts[13], token.hash, 16);
  if (parts.size() == 15) it.dropped = known_order(parts[14]);
  return token;
}

}  // namespace engine
