#include "cache/index_changes.hpp"

#include "cache/listed_codec.hpp"
#include "cache/record_codec.hpp"

#include <algorithm>
#include <ctime>

namespace archway::cache {

using lmdb::Table;

/// The blob's size as far as the sum of sizes knows it; a damaged record makes the sum doubtful.
std::uint64_t IndexChanges::counted_size(const std::string& key) {
  const auto got = txn_.get(Table::blobs, key);
  if (!got.found) return 0;
  const auto record = codec::read_blob(key, got.value);
  if (!record) sums_.recount = true;
  return record ? record->size : 0;
}

std::uint64_t IndexChanges::sum_of_sizes() const {
  std::uint64_t sum = 0;
  txn_.each(Table::blobs, [&sum](std::string_view key, std::string_view value) {
    if (const auto record = codec::read_blob(key, value)) sum += record->size;
    return true;
  });
  return sum;
}

/// Found by its file alone, when it has a record by now that says more: somebody has used it
/// meanwhile.
bool IndexChanges::is_known_better(const std::string& key, const BlobRecord& record) const {
  if (record.checked_at != 0) return false;
  const auto got = txn_.get(Table::blobs, key);
  const auto before = got.found ? codec::read_blob(key, got.value) : std::nullopt;
  return before && before->size == record.size && before->checked_at > 0;
}

void IndexChanges::put_blobs(const Changes& changes) {
  for (const auto& [digest, record] : changes.blobs) {
    const auto key = codec::digest_key(digest);
    if (is_known_better(key, record)) continue;
    sums_.blob_bytes += record.size - counted_size(key);
    sums_.last_check = std::max(sums_.last_check, record.checked_at);
    txn_.put(Table::blobs, key, codec::write(key, record));
  }
  for (const auto& digest : changes.blobs_gone) {
    const auto key = codec::digest_key(digest);
    sums_.blob_bytes -= counted_size(key);
    txn_.erase(Table::blobs, key);
  }
}

void IndexChanges::put_tags(const Changes& changes) {
  for (const auto& [name, record] : changes.tags) {
    const auto key = codec::tag_key(name.first, name.second);
    txn_.put(Table::tags, key, codec::write_tag(key, name.first, name.second, record));
  }
  for (const auto& [image, tag] : changes.tags_gone) {
    txn_.erase(Table::tags, codec::tag_key(image, tag));
  }
}

void IndexChanges::put_manifests(const Changes& changes) {
  for (const auto& [digest, record] : changes.manifests) {
    const auto key = codec::digest_key(digest);
    txn_.put(Table::manifests, key, codec::write(key, record));
  }
  for (const auto& digest : changes.manifests_gone) {
    txn_.erase(Table::manifests, codec::digest_key(digest));
  }
}

/// The rules of Grant::platform and Grant::proof. The look-up sees what the same commit has written
/// before, and a damaged record may have been anybody's.
GrantRecord IndexChanges::record_after(const std::string& key, const Grant& grant) const {
  GrantRecord after{
      .granted_at = std::time(nullptr), .platform = grant.platform, .proof = grant.proof};
  const auto got = txn_.get(Table::grants, key);
  if (!got.found) return after;
  const auto before = codec::read_grant(key, got.value, grant.image, grant.digest);
  if (!before || before->platform != grant.platform) after.platform.clear();
  if (before && before->proof == Proof::given) after.proof = Proof::given;
  return after;
}

void IndexChanges::put_grants(const Changes& changes) {
  for (const auto& grant : changes.grants) {
    const auto key = codec::grant_key(grant.image, grant.digest);
    const auto record = record_after(key, grant);
    txn_.put(Table::grants, key, codec::write_grant(key, grant.image, grant.digest, record));
  }
  for (const auto& [image, digest] : changes.grants_gone) {
    txn_.erase(Table::grants, codec::grant_key(image, digest));
  }
}

void IndexChanges::put_seen(const Changes& changes) {
  for (const auto& record : changes.seen) {
    const auto key = codec::tag_key(record.image, record.tag);
    txn_.put(Table::seen, key, codec::write_seen(key, record));
  }
  for (const auto& [image, tag] : changes.seen_gone) {
    txn_.erase(Table::seen, codec::tag_key(image, tag));
  }
}

void IndexChanges::put_images(const Changes& changes) {
  for (const auto& image : changes.images) {
    const auto key = codec::image_key(image.name, image.tag);
    txn_.put(Table::images, key, codec::write_image(key, image));
  }
  for (const auto& [name, tag] : changes.images_gone) {
    txn_.erase(Table::images, codec::image_key(name, tag));
  }
}

void IndexChanges::put_pins(const Changes& changes) {
  for (const auto& pin : changes.pins) {
    const auto key = codec::pin_key(pin.image, pin.what);
    txn_.put(Table::pins, key, codec::write_pin(key, pin));
  }
  for (const auto& [image, what] : changes.pins_gone) {
    txn_.erase(Table::pins, codec::pin_key(image, what));
  }
}

void IndexChanges::put(const Changes& changes) {
  put_blobs(changes);
  put_tags(changes);
  put_manifests(changes);
  put_grants(changes);
  put_seen(changes);
  put_images(changes);
  put_pins(changes);
}

IndexChanges::Sums IndexChanges::put_sums() {
  if (sums_.recount) sums_.blob_bytes = sum_of_sizes();
  sums_.recount = false;
  const auto number = [this](const std::string& key, std::uint64_t value) {
    txn_.put(Table::meta, key, codec::write_number(key, value));
  };
  number(codec::blob_bytes_key(), sums_.blob_bytes);
  number(codec::last_check_key(), static_cast<std::uint64_t>(sums_.last_check));
  return sums_;
}

}  // namespace archway::cache
