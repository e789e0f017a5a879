#include "proxy/pull/tagged.hpp"

#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/resolve_tag.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

net::awaitable<Result<Tagged>> obtain_resolved(PullParts* parts, ImageName image,
                                               ResolvedTag resolved) {
  auto manifest = co_await obtain_manifest(parts, image, resolved.digest);
  if (!manifest) co_return manifest.error();
  Tagged tagged{.manifest = *std::move(manifest)};
  tagged.outcome = worst(resolved.outcome, tagged.manifest.outcome);
  tagged.stale_since = resolved.stale_since();
  tagged.cached = !resolved.fetched && tagged.manifest.outcome == metrics::Outcome::hit;
  co_return tagged;
}

}  // namespace

net::awaitable<Result<Tagged>> obtain_tagged(PullParts* parts, ImageName image, Reference reference,
                                             bool anew) {
  if (const auto* digest = std::get_if<Digest>(&reference)) {
    const ResolvedTag known{.digest = *digest};
    co_return co_await obtain_resolved(parts, image, known);
  }
  const auto resolved = co_await resolve_tag(parts, image, std::get<Tag>(reference), anew);
  if (!resolved) co_return resolved.error();
  co_return co_await obtain_resolved(parts, image, *resolved);
}

}  // namespace archway::proxy
