#include "harness/record/hdr_log.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <bit>
#include <cstring>

namespace harness {
namespace {

// A reader of the format, written from its description and not from the writer.
std::string unbase64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(letters.find(c));
    count += 6;
    if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return out;
}

uint64_t big_endian(const std::string& bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

std::string inflated(const std::string& packed) {
  std::string plain(1 << 20, '\0');
  uLongf size = plain.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(plain.data()), &size,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  plain.resize(size);
  return plain;
}

std::vector<uint64_t> decoded_counts(const std::string& plain) {
  std::vector<uint64_t> counts;
  for (size_t at = 40; at < plain.size();) {
    uint64_t raw = 0;
    for (int i = 0; i < 9; ++i) {
      const auto byte = static_cast<unsigned char>(plain[at++]);
      raw |= static_cast<uint64_t>(i == 8 ? byte : byte & 0x7f) << (7 * i);
      if (i < 8 && !(byte & 0x80)) break;
    }
    const auto value = static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
    if (value < 0) {
      counts.resize(counts.size() + static_cast<size_t>(-value));
    } else {
      counts.push_back(static_cast<uint64_t>(value));
    }
  }
  return counts;
}

TEST(HdrLog, EncodesTheDocumentedBytes) {
  Counts counts{Layout(3)};
  counts.set(0, 1);
  counts.set(7, 300);
  counts.set(20000, uint64_t{1} << 62);  // needs all nine bytes
  const std::string text = encode_v2(counts);
  EXPECT_EQ(text.substr(0, 8), "HISTFAAA");
  const std::string whole = unbase64(text);
  EXPECT_EQ(big_endian(whole, 0, 4), 0x1c849314U);
  EXPECT_EQ(big_endian(whole, 4, 4), whole.size() - 8);
  const std::string plain = inflated(whole.substr(8));
  EXPECT_EQ(big_endian(plain, 0, 4), 0x1c849313U);
  EXPECT_EQ(big_endian(plain, 4, 4), plain.size() - 40);
  EXPECT_EQ(big_endian(plain, 8, 4), 0U);
  EXPECT_EQ(big_endian(plain, 12, 4), 3U);
  EXPECT_EQ(big_endian(plain, 16, 8), 1U);
  EXPECT_EQ(big_endian(plain, 24, 8), 3'600'000'000'000U);
  EXPECT_EQ(std::bit_cast<double>(big_endian(plain, 32, 8)), 1.0);
  // ZigZag LEB128 by hand: 1 -> 02, six zeros -> -6 -> 0b, 300 -> 600 -> d8 04
  EXPECT_EQ(plain.substr(40, 4), std::string("\x02\x0b\xd8\x04", 4));
  std::vector<uint64_t> expected(counts.counts().begin(), counts.counts().begin() + 20001);
  EXPECT_EQ(decoded_counts(plain), expected);
}

TEST(HdrLog, EmptyHistogramHasNoPayload) {
  const std::string plain = inflated(unbase64(encode_v2(Counts{Layout(2)})).substr(8));
  EXPECT_EQ(plain.size(), 40U);
}

TEST(HdrLog, FileHasHeaderAndTaggedLines) {
  std::string pattern = testing::TempDir() + "hlogXXXXXX";
  const std::filesystem::path dir = mkdtemp(pattern.data());
  Histogram histogram(2);
  histogram.record(2'000'000);
  HdrLog(dir / "gp.hlog", 1795360000, "nanoseconds").interval("gp.normal", 1, 0.5, histogram.snapshot());
  const auto lines = whole_lines(dir / "gp.hlog");
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0], "#[Histogram log format version 1.3]");
  EXPECT_EQ(lines[1], "#[Units: nanoseconds]");
  EXPECT_EQ(lines[2].rfind("#[StartTime: 1795360000.000 (seconds since epoch), ", 0), 0U) << lines[2];
  EXPECT_EQ(lines[3].rfind("\"StartTimestamp\"", 0), 0U);
  EXPECT_EQ(lines[4].rfind("Tag=gp.normal,1.000,0.500,2.", 0), 0U) << lines[4];
  std::filesystem::remove_all(dir);
}

TEST(HdrLog, PercentileTableHasItsFooter) {
  Histogram histogram(3);
  for (int i = 0; i < 1000; ++i) histogram.record(1000);
  const std::string text = hgrm_text(histogram.snapshot(), 1000);
  EXPECT_NE(text.find("Value"), std::string::npos);
  EXPECT_NE(text.find("1.000000000000       1000\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Total count    =         1000]"), std::string::npos) << text;
}

}  // namespace
}  // namespace harness
