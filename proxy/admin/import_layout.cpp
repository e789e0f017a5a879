#include "proxy/admin/import_layout.hpp"

#include "cache/commit.hpp"
#include "proxy/admin/image_name.hpp"
#include "proxy/admin/layout_reader.hpp"

#include <boost/json/array.hpp>
#include <ctime>
#include <fstream>
#include <future>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

constexpr std::size_t piece_bytes = 1024 * 1024;

Error refused(std::string message) {
  return {.code = Errc::request_invalid, .message = std::move(message)};
}

/// An image that is known to be whole, and the name it gets.
struct Incoming {
  NamedImage name;
  Digest top;
  LayoutParts parts;
};

/// Bytes so far, of all; whether to go on.
class Meter {
 public:
  Meter(const Chore::Progress& progress, std::uint64_t total)
      : progress_(progress), total_(total) {}
  bool add(std::uint64_t bytes) {
    done_ += bytes;
    return !progress_ || progress_(done_, total_);
  }

 private:
  const Chore::Progress& progress_;
  std::uint64_t done_ = 0;
  std::uint64_t total_;
};

Result<void> bring(const std::filesystem::path& path, const Descriptor& blob,
                   cache::FillWriter& writer, Meter& meter) {
  auto begun = writer.begin(blob.size);
  if (!begun) return begun;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(piece_bytes);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<std::size_t>(file.gcount());
    const auto appended =
        writer.append({reinterpret_cast<const std::uint8_t*>(buffer.data()), got});
    if (!appended) return appended;
    if (!meter.add(got)) {
      auto stopped = refused("the import was stopped");
      writer.fail(stopped);
      return stopped;
    }
  }
  return writer.finish();
}

/// Somebody else brings it, or it is being hashed again.
Result<void> wait_for(const std::shared_ptr<cache::Fill>& fill) {
  for (;;) {
    const auto state = fill->state();
    if (state.failed) return *state.failed;
    if (state.verified) return {};
    std::promise<void> moved;
    fill->when_past(state.version, [&] { moved.set_value(); });
    moved.get_future().wait();
  }
}

/// True when the cache did not have it.
Result<bool> provide(const ImportJob& job, const LayoutReader& reader, const Incoming& image,
                     const Descriptor& blob, Meter& meter) {
  auto access = job.cache->open_or_join(blob.digest, image.name.image.str());
  if (access.writer) {
    const auto path = reader.path_of(blob.digest);
    const auto brought = bring(path, blob, *access.writer, meter);
    if (brought) return true;
    if (brought.error().code != Errc::upstream_failed) return brought.error();
    return refused(path.string() + ": it is damaged: its bytes are not those of its name");
  }
  if (access.fill) {
    const auto came = wait_for(access.fill);
    if (!came) return came.error();
  }
  meter.add(blob.size);
  return false;
}

Result<NamedImage> name_for(const ImportJob& job, const LayoutImage& image) {
  const auto& text = job.as.empty() ? image.name : job.as;
  if (text.empty() || (job.as.empty() && text.find('/') == std::string::npos)) {
    return refused(job.directory.string() + ": " + image.top.digest.str() +
                   " has no full name there; say it with --as NAME:TAG");
  }
  auto named = read_known_image(text, *job.names);
  if (!named) return named;
  const auto* digest = named->reference ? std::get_if<Digest>(&*named->reference) : nullptr;
  if (digest != nullptr && *digest != image.top.digest) {
    return refused(text + " is not the digest of that image, which is " + image.top.digest.str());
  }
  return named;
}

Result<std::vector<Incoming>> look_at(const ImportJob& job, const LayoutReader& reader) {
  const auto images = reader.images();
  if (!images) return images.error();
  if (!job.as.empty() && images->size() != 1) {
    return refused("--as is for one image, and there are " + std::to_string(images->size()) +
                   " in " + job.directory.string());
  }
  std::vector<Incoming> all;
  for (const auto& image : *images) {
    auto name = name_for(job, image);
    if (!name) return name.error();
    auto parts = reader.parts_of(image);
    if (!parts) return parts.error();
    all.push_back({*std::move(name), image.top.digest, *std::move(parts)});
  }
  return all;
}

/// Last of all, and at once: from here on the image is served.
cache::Changes changes_for(const Incoming& image) {
  cache::Changes changes;
  changes.manifests = image.parts.manifests;
  for (const auto& [digest, platform] : image.parts.grants) {
    changes.grants.emplace_back(image.name.image, digest, platform, cache::Proof::given);
  }
  if (image.name.reference && std::holds_alternative<Digest>(*image.name.reference)) return changes;
  auto tag = image.name.reference ? std::get<Tag>(*image.name.reference) : *Tag::parse("latest");
  changes.tags.push_back(
      {{image.name.image, std::move(tag)},
       {.digest = image.top, .checked_at = static_cast<std::int64_t>(std::time(nullptr))}});
  return changes;
}

boost::json::object described(const Incoming& image) {
  boost::json::array absent;
  for (const auto& text : image.parts.absent) absent.emplace_back(text);
  return {{"name", image.name.str()},
          {"digest", image.top.str()},
          {"manifests", image.parts.manifests.size()},
          {"blobs", image.parts.blobs.size()},
          {"absent", std::move(absent)}};
}

}  // namespace

Result<boost::json::object> import_layout(const ImportJob& job, const Chore::Progress& progress) {
  const LayoutReader reader(job.directory);
  const auto images = look_at(job, reader);
  if (!images) return images.error();
  std::uint64_t total = 0;
  for (const auto& image : *images) {
    for (const auto& blob : image.parts.blobs) total += blob.size;
  }
  Meter meter(progress, total);
  std::uint64_t bytes = 0;
  boost::json::array list;
  for (const auto& image : *images) {
    for (const auto& blob : image.parts.blobs) {
      const auto provided = provide(job, reader, image, blob, meter);
      if (!provided) return provided.error();
      if (*provided) bytes += blob.size;
    }
    const auto committed = cache::commit_and_wait(job.cache->index(), changes_for(image));
    if (!committed) return committed.error();
    list.push_back(described(image));
  }
  return boost::json::object{{"images", std::move(list)}, {"bytes", bytes}};
}

}  // namespace archway::proxy
