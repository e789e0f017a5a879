#pragma once

#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/request_flow.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace archway::proxy {

/// What the command line writes to a registry with. The gateway itself never writes to one.
///
/// Errors, all methods: as Registry's; a refusal names what was to be written where.
///
/// Source: OCI Distribution Spec v1.1, section "Push". Threads: one.
class Pusher {
 public:
  /// `flow` is the target registry's.
  explicit Pusher(std::shared_ptr<RequestFlow> flow) : flow_(std::move(flow)) {}

  /// True when the target says that it holds it. What it does not let us see counts as not there:
  /// many registries say so of a repository that does not exist yet.
  boost::asio::awaitable<Result<bool>> has_blob(Repository repository, Digest digest);
  boost::asio::awaitable<Result<bool>> has_manifest(Repository repository, Digest digest);

  /// Mounts a blob from another repository of the same registry. False: the registry would rather
  /// have the bytes, or does not let us read there. An upload that it opens instead is used by the
  /// next upload_blob() of that blob.
  boost::asio::awaitable<Result<bool>> mount_blob(Repository repository, Digest digest,
                                                  Repository from);

  /// Sends a blob's bytes as they come from `source`, which begins at 0 (POST, then one PUT of
  /// `size` bytes), hashing them on the way: the last piece of bytes that do not match never
  /// leaves. `sent` (may be empty) is told after every piece how many bytes have left so far.
  ///
  /// Errors beside: the source's own; Errc::upstream_failed for bytes that do not match.
  boost::asio::awaitable<Result<void>> upload_blob(Repository repository, Digest digest,
                                                   std::uint64_t size,
                                                   std::shared_ptr<BlobStream> source,
                                                   std::function<void(std::uint64_t)> sent);

  /// Puts a manifest or index under a tag or its digest. Errc::upstream_failed when the registry
  /// answers with another digest.
  boost::asio::awaitable<Result<void>> put_manifest(Repository repository, Reference reference,
                                                    std::string media_type, std::string bytes);

 private:
  /// Where the bytes of a blob are to be sent.
  struct Upload {
    resolver::Url url;
    resolver::Address named_by;  // who said so
  };

  Result<Upload> upload_at(const Answer& answer) const;
  RequestFlow::Wish wish_to_finish(Upload upload, const Repository& repository,
                                   const Digest& digest) const;
  boost::asio::awaitable<Result<Upload>> open_upload(Repository repository, Digest digest);
  boost::asio::awaitable<Error> refusal(std::shared_ptr<Answer> answer, std::string what);
  boost::asio::awaitable<Result<void>> finish(RequestFlow::Wish wish, std::string what,
                                              std::function<bool(Digest)> is_it);

  std::shared_ptr<RequestFlow> flow_;
  std::map<std::string, Upload> opened_ = {};  // by repository and digest, in place of a mount
};

}  // namespace archway::proxy
