#pragma once

#include "cache/records.hpp"
#include "cache/value_bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The index's keys and values as bytes, and back. Every value starts with the CRC-32C of its key
/// and the rest of it, so a flipped bit or a value under a wrong key is seen. Reading gives nothing
/// for bytes that are not exactly what was written.
///
/// Keys are at most 65 bytes (LMDB allows 511): names of any length are keyed by their SHA-256, and
/// the value repeats the names themselves, for listings and because a hash is not a proof.
namespace archway::cache::codec {

/// The number of this format: any change of a key or a value needs the next one. An index of
/// another one is set aside, not converted: it is disposable.
inline constexpr std::uint32_t index_format = 5;

/// What the index says of itself. The format, the word size and the byte order are written with it;
/// a header of other ones reads as nothing.
struct Header {
  bool clean = false;   ///< closed in order since the last change
  std::string boot_id;  ///< of the kernel that wrote it, "" when unknown
};

std::string header_key();
std::string write(std::string_view key, const Header& header);
std::optional<Header> read_header(std::string_view key, std::string_view value);
/// The format that an undamaged header tells, of whatever machine.
std::optional<std::uint32_t> format_of(std::string_view key, std::string_view value);

/// The numbers kept beside the header: the sum of all blobs' sizes, in bytes; the latest
/// BlobRecord::checked_at; and Index::suspect_before().
std::string blob_bytes_key();
std::string last_check_key();
std::string suspect_before_key();
std::string write_number(std::string_view key, std::uint64_t number);
std::optional<std::uint64_t> read_number(std::string_view key, std::string_view value);

/// Manifests and blobs; their key is digest_key().
std::string write(std::string_view key, const ManifestRecord& manifest);
std::optional<ManifestRecord> read_manifest(std::string_view key, std::string_view value);
std::string write(std::string_view key, const BlobRecord& blob);
std::optional<BlobRecord> read_blob(std::string_view key, std::string_view value);

/// The size of what a manifest's value holds, in bytes, without copying it.
std::optional<std::uint64_t> read_manifest_size(std::string_view key, std::string_view value);
/// The digest that digest_key() has made this key of.
std::optional<Digest> read_digest_key(std::string_view key);

/// Also the key of what is seen of a tag.
std::string tag_key(const ImageName& image, const Tag& tag);
std::string write_tag(std::string_view key, const ImageName& image, const Tag& tag,
                      const TagRecord& record);
std::optional<TagRecord> read_tag(std::string_view key, std::string_view value,
                                  const ImageName& image, const Tag& tag);
/// The same when only the value tells whose it is.
std::optional<TagEntry> read_tag_entry(std::string_view key, std::string_view value);

std::string grant_key(const ImageName& image, const Digest& digest);
std::string write_grant(std::string_view key, const ImageName& image, const Digest& digest,
                        const GrantRecord& record);
std::optional<GrantRecord> read_grant(std::string_view key, std::string_view value,
                                      const ImageName& image, const Digest& digest);
std::optional<GrantEntry> read_grant_entry(std::string_view key, std::string_view value);

}  // namespace archway::cache::codec
