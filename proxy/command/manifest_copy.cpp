#include "proxy/command/manifest_copy.hpp"

#include "proxy/command/output.hpp"
#include "resolver/verdict.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

bool is_foreign(std::string_view type) {
  return type.starts_with("application/vnd.oci.image.layer.nondistributable.") ||
         type.starts_with("application/vnd.docker.image.rootfs.foreign.");
}

/// The error with what it stopped: `what` could not be copied from where to where.
Error stopped(const CopyJob& job, const std::string& what, const Digest& digest,
              const Error& error) {
  Error named = error;
  named.message = "cannot copy the " + what + " " + digest.str() + " from " + job.from.str() +
                  " to " + job.to.str() + ": " + error.message;
  return named;
}

/// A digest as people tell them apart.
std::string short_name(const Digest& digest) {
  constexpr std::size_t hex_shown = 12;
  return digest.hex().substr(0, hex_shown);
}

void show(const CopyJob& job, const std::string& text) {
  if (job.show) job.show(text);
}

net::awaitable<Result<void>> send_blob(const CopyJob* job, Descriptor blob) {
  auto stream = co_await job->registry->open_blob(job->from.repository, blob.digest, 0);
  if (!stream) co_return stream.error();
  const std::shared_ptr<BlobStream> source = *std::move(stream);
  const auto total = blob.size;
  std::function<void(std::uint64_t)> sent = [job, blob, total](std::uint64_t so_far) {
    show(*job, "copying " + short_name(blob.digest) + "  " + human_size(so_far) + " of " +
                   human_size(total));
  };
  const auto done = co_await job->pusher->upload_blob(job->to.repository, blob.digest, total,
                                                      source, std::move(sent));
  if (!done) co_return done.error();
  ++job->tally->copied;
  job->tally->bytes += total;
  co_return Result<void>{};
}

net::awaitable<Result<void>> provide_blob(const CopyJob* job, Descriptor blob) {
  show(*job, "looking for " + short_name(blob.digest) + " in " + job->to.str());
  const auto there = co_await job->pusher->has_blob(job->to.repository, blob.digest);
  if (!there) co_return there.error();
  if (*there) {
    ++job->tally->present;
    co_return Result<void>{};
  }
  if (job->from.upstream == job->to.upstream) {
    const auto mounted =
        co_await job->pusher->mount_blob(job->to.repository, blob.digest, job->from.repository);
    if (!mounted) co_return mounted.error();
    if (*mounted) {
      ++job->tally->mounted;
      co_return Result<void>{};
    }
  }
  co_return co_await send_blob(job, std::move(blob));
}

net::awaitable<Result<void>> provide_parts(const CopyJob* job, resolver::Manifest manifest,
                                           int depth) {
  for (const auto& entry : manifest.manifests) {
    const auto done = co_await copy_manifest(job, entry.digest, depth + 1);
    if (!done) co_return done.error();
  }
  const auto blobs = blobs_to_copy(manifest);
  for (const auto& blob : blobs) {
    const auto done = co_await provide_blob(job, blob);
    if (!done) co_return stopped(*job, "blob", blob.digest, done.error());
  }
  co_return Result<void>{};
}

Error unclear(const std::string& why) {
  return {.code = Errc::manifest_invalid, .origin = Origin::upstream, .message = why};
}

}  // namespace

std::vector<Descriptor> blobs_to_copy(const resolver::Manifest& manifest) {
  std::vector<Descriptor> blobs;
  const auto add = [&blobs](const Descriptor& blob) {
    const auto same = [&blob](const Descriptor& other) { return other.digest == blob.digest; };
    if (is_foreign(blob.media_type) || std::any_of(blobs.begin(), blobs.end(), same)) return;
    blobs.push_back(blob);
  };
  if (manifest.config) add(*manifest.config);
  for (const auto& layer : manifest.layers) add(layer);
  return blobs;
}

net::awaitable<Result<void>> copy_manifest(const CopyJob* job, Digest digest, int depth) {
  if (depth > resolver::index_depth_max) {
    co_return stopped(*job, "manifest", digest, unclear("indexes are nested too deep"));
  }
  const auto there = co_await job->pusher->has_manifest(job->to.repository, digest);
  if (!there) co_return stopped(*job, "manifest", digest, there.error());
  if (*there) co_return Result<void>{};
  auto fetched = co_await fetch_manifest(job->registry, job->from.repository, digest);
  if (!fetched) co_return stopped(*job, "manifest", digest, fetched.error());
  if (!fetched->manifest.interpretable) {
    co_return stopped(*job, "manifest", digest, unclear(fetched->manifest.why));
  }
  const auto parts = co_await provide_parts(job, fetched->manifest, depth);
  if (!parts) co_return parts.error();
  const auto put = co_await job->pusher->put_manifest(job->to.repository, digest,
                                                      fetched->media_type, fetched->bytes);
  if (!put) co_return stopped(*job, "manifest", digest, put.error());
  job->tally->pushed.push_back(digest);
  co_return Result<void>{};
}

}  // namespace archway::proxy
