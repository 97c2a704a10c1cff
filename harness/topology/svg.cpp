#include "harness/topology/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "harness/topology/cpu_list.hpp"

namespace harness {
namespace {

constexpr unsigned kPad = 8, kLine = 16, kLetter = 7;

/// Light enough for black text, told apart by the colour-blind; with more roles they repeat and the names
/// decide.
constexpr std::array<const char*, 8> kColours{"#9ecae9", "#ffbf79", "#88d27a", "#ff9d98",
                                              "#d6a5c9", "#f2cf5b", "#79d2c6", "#d8b5a5"};

struct Label {
  std::string text;
  const char* fill;
};

/// A rectangle with a title, labels under it, and smaller rectangles under these.
struct Box {
  std::string title;
  const char* fill = "#ffffff";
  size_t columns = 1;
  std::vector<Label> labels;
  std::vector<Box> inside;
  unsigned width = 0, height = 0;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::map<std::string, const char*> colours(const std::vector<Seat>& seats) {
  std::map<std::string, const char*> chosen;
  for (const Seat& seat : seats) chosen.try_emplace(seat.role, kColours[chosen.size() % kColours.size()]);
  return chosen;
}

/// "reader 0-2,5" for each role on `pu`: as many lines as roles, however many threads share the PU.
std::vector<Label> labels_on(std::optional<unsigned> pu, const std::vector<Seat>& seats) {
  std::map<std::string, std::vector<unsigned>> on;
  for (const Seat& seat : seats)
    if (seat.pu == pu) on[seat.role].push_back(seat.index);
  const auto fills = colours(seats);
  std::vector<Label> labels;
  for (const auto& [role, indices] : on)
    labels.push_back({role + " " + cpu_list_text(indices), fills.at(role)});
  return labels;
}

size_t roughly_square(size_t n) { return static_cast<size_t>(std::ceil(std::sqrt(static_cast<double>(n)))); }

using Field = unsigned PuPlace::*;
struct Level {
  const char* name;
  Field field;
  const char* fill;
};
constexpr std::array<Level, 4> kLevels{{{"Package", &PuPlace::package, "#f4f4f4"},
                                        {"NUMA", &PuPlace::numa, "#e6e6e6"},
                                        {"Core", &PuPlace::core, "#f8f8f8"},
                                        {"PU", &PuPlace::os, "#ffffff"}}};

/// Boxes of `level` for places[first, last), in which everything outside of that level is the same.
std::vector<Box> boxes(const std::vector<PuPlace>& places, size_t first, size_t last, size_t level,
                       const std::vector<Seat>& seats) {
  std::vector<Box> row;
  const Level& kind = kLevels[level];
  while (first < last) {
    const unsigned number = places[first].*kind.field;
    size_t end = first;
    while (end < last && places[end].*kind.field == number) ++end;
    Box box{.title = fmt::format("{} {}", kind.name, number), .fill = kind.fill};
    if (level + 1 < kLevels.size())
      box.inside = boxes(places, first, end, level + 1, seats);
    else
      box.labels = labels_on(number, seats);
    box.columns = roughly_square(box.inside.size());
    row.push_back(std::move(box));
    first = end;
  }
  return row;
}

unsigned text_width(size_t letters) { return static_cast<unsigned>(letters) * kLetter + 2 * kPad; }

/// Sets widths and heights from the inside out.
void measure(Box& box) {
  box.width = text_width(box.title.size());
  for (const Label& label : box.labels) box.width = std::max(box.width, text_width(label.text.size()) + kPad);
  box.height = kPad + kLine * static_cast<unsigned>(1 + box.labels.size());
  for (size_t i = 0; i < box.inside.size();) {
    unsigned row_width = kPad, row_height = 0;
    for (size_t column = 0; column < box.columns && i < box.inside.size(); ++column, ++i) {
      measure(box.inside[i]);
      row_width += box.inside[i].width + kPad;
      row_height = std::max(row_height, box.inside[i].height);
    }
    box.width = std::max(box.width, row_width);
    box.height += row_height + kPad;
  }
}

void rect(std::string& out, unsigned x, unsigned y, unsigned w, unsigned h, const char* fill) {
  out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#555555\"/>\n",
                     x, y, w, h, fill);
}

void text(std::string& out, unsigned x, unsigned y, const std::string& words) {
  out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", x, y, escaped(words));
}

void draw(std::string& out, const Box& box, unsigned x, unsigned y) {
  rect(out, x, y, box.width, box.height, box.fill);
  text(out, x + kPad, y + kLine - 2, box.title);
  unsigned at = y + kLine + kPad / 2;
  for (const Label& label : box.labels) {
    rect(out, x + kPad / 2, at, box.width - kPad, kLine, label.fill);
    text(out, x + kPad, at + kLine - 4, label.text);
    at += kLine;
  }
  at = y + kLine + kPad;
  for (size_t i = 0; i < box.inside.size();) {
    unsigned left = x + kPad, row_height = 0;
    for (size_t column = 0; column < box.columns && i < box.inside.size(); ++column, ++i) {
      draw(out, box.inside[i], left, at);
      left += box.inside[i].width + kPad;
      row_height = std::max(row_height, box.inside[i].height);
    }
    at += row_height + kPad;
  }
}

Box legend(const std::vector<Seat>& seats) {
  Box box{.title = "Roles"};
  std::map<std::string, unsigned> counts;
  for (const Seat& seat : seats) ++counts[seat.role];
  for (const auto& [role, fill] : colours(seats))
    box.labels.push_back(
        {fmt::format("{}: {} thread{}", role, counts[role], counts[role] == 1 ? "" : "s"), fill});
  return box;
}

}  // namespace

std::string topology_svg(const Topology& topology, const std::vector<Seat>& seats) {
  const auto& places = topology.places();
  Box page{.title = topology.summary() + (topology.dry() ? " (dry: not this machine)" : "")};
  page.inside = boxes(places, 0, places.size(), 0, seats);
  page.columns = roughly_square(page.inside.size());
  Box machine{.title = "", .inside = {std::move(page)}};
  if (Box roaming{.title = "Not pinned", .labels = labels_on({}, seats)}; !roaming.labels.empty())
    machine.inside.push_back(std::move(roaming));
  if (!seats.empty()) machine.inside.push_back(legend(seats));
  measure(machine);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"11\">\n",
      machine.width, machine.height);
  draw(out, machine, 0, 0);
  return out + "</svg>\n";
}

}  // namespace harness
