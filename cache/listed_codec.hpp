#pragma once

#include "cache/records.hpp"
#include "cache/value_bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The tables that are read as a whole: who pulls a tag, virtual images, and pins. A value tells
/// everything, also what its key is made of; as in record_codec, reading gives nothing for bytes
/// that are not exactly what was written, or that stand under another key.
namespace archway::cache::codec {

/// The key is tag_key(). Only the first seen_platforms_max pullers are written.
std::string write_seen(std::string_view key, const SeenRecord& record);
std::optional<SeenRecord> read_seen(std::string_view key, std::string_view value);

std::string image_key(const ImageName& name, const std::optional<Tag>& tag);
std::string write_image(std::string_view key, const VirtualImage& image);
std::optional<VirtualImage> read_image(std::string_view key, std::string_view value);

std::string pin_key(const ImageName& image, const Reference& what);
std::string write_pin(std::string_view key, const PinRecord& pin);
std::optional<PinRecord> read_pin(std::string_view key, std::string_view value);

}  // namespace archway::cache::codec
