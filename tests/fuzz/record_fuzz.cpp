// Values of the index. Any bytes, sealed as if they were a record: whatever reads as one is written
// again as the same bytes. And one bit that flips is seen.

#include "cache/listed_codec.hpp"
#include "cache/record_codec.hpp"
#include "cache/value_bytes.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using archway::fuzz::must;
namespace codec = archway::cache::codec;

namespace {

/// The bytes with a checksum before them that fits.
std::string sealed(std::string_view key, std::string_view bytes) {
  codec::ValueWriter writer;
  for (const char c : bytes) writer.u8(static_cast<std::uint8_t>(c));
  return writer.seal(key);
}

void check(std::string_view key, std::string_view value) {
  if (const auto read = codec::read_manifest(key, value)) {
    must(codec::write(key, *read) == value, "a manifest is written as it was");
    must(codec::read_manifest_size(key, value) == read->bytes.size(), "its size is its size");
  }
  if (const auto read = codec::read_blob(key, value)) {
    must(codec::write(key, *read) == value, "a blob is written as it was");
  }
  if (const auto read = codec::read_number(key, value)) {
    must(codec::write_number(key, *read) == value, "a number is written as it was");
  }
  if (const auto read = codec::read_tag_entry(key, value)) {
    must(codec::write_tag(key, read->image, read->tag, read->record) == value,
         "a tag is written as it was");
  }
  if (const auto read = codec::read_grant_entry(key, value)) {
    must(codec::write_grant(key, read->image, read->digest, read->record) == value,
         "a grant is written as it was");
  }
  if (const auto read = codec::read_pin(key, value)) {
    must(codec::write_pin(key, *read) == value, "a pin is written as it was");
  }
  if (const auto read = codec::read_seen(key, value)) {
    const auto again = codec::read_seen(key, codec::write_seen(key, *read));
    must(again == *read, "what is seen of a tag reads back");
  }
  if (const auto read = codec::read_image(key, value)) {
    must(codec::read_image(key, codec::write_image(key, *read)).has_value(),
         "a virtual image reads back");
  }
  (void)codec::read_header(key, value);
}

/// The same bytes under the keys that are made of the names they begin with.
void check_named(std::string_view bytes) {
  const auto value = sealed("", bytes);
  codec::ValueReader reader("", value);
  const auto image = reader.image();
  if (!image) return;
  auto after_tag = reader;
  if (const auto tag = after_tag.tag()) {
    for (const auto& key : {codec::tag_key(*image, *tag), codec::pin_key(*image, *tag),
                            codec::image_key(*image, *tag)}) {
      check(key, sealed(key, bytes));
    }
  }
  for (const auto& key : {codec::image_key(*image, {})}) check(key, sealed(key, bytes));
  if (const auto digest = reader.digest()) {
    for (const auto& key : {codec::grant_key(*image, *digest), codec::pin_key(*image, *digest)}) {
      check(key, sealed(key, bytes));
    }
  }
}

}  // namespace

/// The first byte is the key's length; then come the key and the value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = archway::fuzz::text_of(data + 1, size - 1);
  const auto key = text.substr(0, data[0] % 66);
  const auto bytes = text.substr(key.size());
  check(key, bytes);
  check_named(bytes);
  auto value = sealed(key, bytes);
  must(codec::is_sealed(key, value) || bytes.empty(), "what is sealed is sealed");
  check(key, value);
  const auto bit = data[0] % (value.size() * 8);
  value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << bit % 8));
  must(!codec::is_sealed(key, value), "a bit that flips is seen");
  return 0;
}
