#include "harness/record/hdr_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <ctime>
#include <limits>

#include "harness/base/errors.hpp"

namespace harness {
namespace {

constexpr uint32_t kPlainCookie = 0x1c849313;       // V2, 8-byte words
constexpr uint32_t kCompressedCookie = 0x1c849314;  // V2, deflated

template <class T>
void big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xff);
  }
}

// ZigZag, then LEB128 in at most nine bytes, of which the ninth carries eight bits.
void varint(std::string& out, int64_t value) {
  uint64_t v = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (int i = 0; i < 8; ++i) {
    if (v < 0x80) {
      out += static_cast<char>(v);
      return;
    }
    out += static_cast<char>((v & 0x7f) | 0x80);
    v >>= 7;
  }
  out += static_cast<char>(v);
}

std::string counts_payload(const Counts& counts) {
  const auto& c = counts.counts();
  size_t end = c.size();
  while (end > 0 && c[end - 1] == 0) --end;
  std::string out;
  for (size_t i = 0; i < end;) {
    if (c[i] != 0) {
      varint(out, static_cast<int64_t>(c[i++]));
      continue;
    }
    int64_t zeros = 0;
    while (i < end && c[i] == 0) ++zeros, ++i;
    varint(out, -zeros);
  }
  return out;
}

std::string deflated(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                plain.size(), Z_BEST_SPEED) != Z_OK) {
    throw Broken("zlib cannot compress a histogram: out of memory");
  }
  out.resize(size);
  return out;
}

std::string base64(const std::string& bytes) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? letters[(word >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

}  // namespace

std::string encode_v2(const Counts& counts) {
  const std::string payload = counts_payload(counts);
  std::string plain;
  big_endian<uint32_t>(plain, kPlainCookie);
  big_endian<uint32_t>(plain, static_cast<uint32_t>(payload.size()));
  big_endian<uint32_t>(plain, 0);  // normalizing index offset
  big_endian<uint32_t>(plain, static_cast<uint32_t>(counts.layout().digits));
  big_endian<uint64_t>(plain, 1);  // lowest discernible value
  big_endian<uint64_t>(plain, counts.layout().highest);
  big_endian<uint64_t>(plain, std::bit_cast<uint64_t>(1.0));  // integer to double ratio
  plain += payload;
  const std::string packed = deflated(plain);
  std::string whole;
  big_endian<uint32_t>(whole, kCompressedCookie);
  big_endian<uint32_t>(whole, static_cast<uint32_t>(packed.size()));
  return base64(whole + packed);
}

HdrLog::HdrLog(const std::filesystem::path& path, double start_epoch_s, std::string_view units)
    : file_(path) {
  file_.line("#[Histogram log format version 1.3]");
  file_.line(fmt::format("#[Units: {}]", units));
  file_.line(fmt::format("#[StartTime: {:.3f} (seconds since epoch), {:%a %b %d %H:%M:%S UTC %Y}]",
                         start_epoch_s, fmt::gmtime(static_cast<time_t>(start_epoch_s))));
  file_.line("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"");
}

void HdrLog::interval(std::string_view tag, double start_s, double length_s, const Counts& counts) {
  file_.line(fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}", tag, start_s, length_s,
                         static_cast<double>(counts.max()) / 1e6, encode_v2(counts)));
}

namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const Counts& counts) {
  const auto total = static_cast<double>(counts.total());
  Moments m;
  if (total == 0) return m;
  const auto value = [&counts](size_t i) { return static_cast<double>(counts.layout().highest_at(i)); };
  const auto& c = counts.counts();
  for (size_t i = 0; i < c.size(); ++i) m.mean += value(i) * static_cast<double>(c[i]) / total;
  for (size_t i = 0; i < c.size(); ++i) {
    m.deviation += (value(i) - m.mean) * (value(i) - m.mean) * static_cast<double>(c[i]) / total;
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// Five steps in each halving of what is left to 100 %, as HdrHistogram's own tables have.
std::string percentile_lines(const Counts& counts, double unit) {
  std::string text;
  const uint64_t total = counts.total();
  uint64_t passed = 0;
  double next = 0;
  const auto& c = counts.counts();
  for (size_t i = 0; i < c.size() && passed < total; ++i) {
    if (c[i] == 0) continue;
    passed += c[i];
    const double fraction = static_cast<double>(passed) / static_cast<double>(total);
    const double value = static_cast<double>(counts.layout().highest_at(i)) / unit;
    while (next <= fraction && next < 1) {
      text += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, next, passed, 1 / (1 - next));
      const double halvings = std::floor(std::log2(1 / (1 - next))) + 1;
      next += 1 / (5 * std::exp2(halvings));
      if (passed == total) break;
    }
  }
  if (total > 0) {
    text += fmt::format("{:12.3f} {:2.12f} {:10}\n", static_cast<double>(counts.max()) / unit, 1.0, total);
  }
  return text;
}

}  // namespace

std::string hgrm_text(const Counts& counts, double unit) {
  const Moments m = moments(counts);
  std::string text =
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  text += percentile_lines(counts, unit);
  text +=
      fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", m.mean / unit, m.deviation / unit);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n",
                      static_cast<double>(counts.max()) / unit, counts.total());
  const unsigned magnitude = counts.layout().magnitude;
  const size_t buckets = (counts.layout().size >> (magnitude - 1)) - 1;
  text += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", buckets, 1U << magnitude);
  return text;
}

}  // namespace harness
