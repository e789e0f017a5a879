#include "proxy/pull/sources.hpp"

#include "resolver/verdict.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

void add_once(std::vector<Source>& sources, Source source) {
  const bool known = std::any_of(sources.begin(), sources.end(),
                                 [&](const Source& one) { return one.image == source.image; });
  if (!known) sources.push_back(std::move(source));
}

void add_all_of(std::vector<Source>& sources, const PullShared& shared, const ImageName& name) {
  const auto members = shared.virtual_images.members_of(name);
  bool is_published = members.empty();
  for (const auto& member : members) {
    if (member == name) {
      is_published = true;
    } else {
      add_once(sources, {.image = member});
    }
  }
  add_once(sources, {.image = name, .is_virtual = !members.empty(), .is_published = is_published});
}

/// Known to be there. Of a virtual image's name that is no proof for a manifest: its index grants
/// it the members' manifests, too, which only their own upstreams could give again.
bool is_known(const PullShared& shared, const Source& source, const Digest& digest,
              ObjectKind kind) {
  if (!granted(shared, source.image, digest)) return false;
  if (kind == ObjectKind::blob || !source.is_virtual) return true;
  return shared.cache->index().find_manifest(digest).has_value();
}

/// What a HEAD says: nothing wrong, or why not.
Result<void> judged(const Result<Registry::Head>& head, const ImageName& image,
                    const Digest& digest) {
  if (!head) return head.error();
  if (!head->digest || *head->digest == digest) return {};
  return Error{.code = Errc::manifest_unknown,
               .origin = Origin::upstream,
               .message = image.upstream + " answers for " + digest.str() + " with something else",
               .context = "HEAD gave another digest"};
}

net::awaitable<Result<void>> ask(PullParts* parts, ImageName image, Digest digest,
                                 ObjectKind kind) {
  auto* registry = parts->registry(image);
  if (kind == ObjectKind::blob) {
    const auto head = co_await registry->head_blob(image.repository, digest);
    co_return judged(head, image, digest);
  }
  const Reference reference = digest;
  const auto head = co_await registry->head_manifest(image.repository, reference);
  co_return judged(head, image, digest);
}

/// How much an upstream's word says about the object: that it is not there, least of all.
int weight(const Error& error) {
  switch (error.code) {
    case Errc::manifest_unknown:
    case Errc::blob_unknown:
    case Errc::name_unknown: return 0;
    case Errc::denied: return 1;
    default: return 2;
  }
}

Error nobody_has(const std::vector<Source>& sources, const Digest& digest, ObjectKind kind) {
  std::string names;
  for (const auto& source : sources) {
    names += (names.empty() ? "" : ", ") + source.image.str();
  }
  return {.code = kind == ObjectKind::blob ? Errc::blob_unknown : Errc::manifest_unknown,
          .origin = Origin::upstream,
          .message = digest.str() + " is under none of these names: " + names};
}

}  // namespace

std::vector<Source> sources_of(const PullShared& shared, const Asked& asked) {
  std::vector<Source> sources;
  add_all_of(sources, shared, asked.image);
  if (!asked.image_alone && asked.named != asked.image) add_all_of(sources, shared, asked.named);
  return sources;
}

net::awaitable<Result<ImageName>> find_source(PullParts* parts, std::shared_ptr<const Asked> asked,
                                              Digest digest, ObjectKind kind) {
  const auto sources = sources_of(*parts->shared, *asked);
  if (sources.size() == 1) co_return sources.front().image;
  for (const auto& source : sources) {
    if (is_known(*parts->shared, source, digest, kind)) co_return source.image;
  }
  std::optional<Error> heaviest;
  for (const auto& source : sources) {
    if (!source.is_published) continue;
    const auto answer = co_await ask(parts, source.image, digest, kind);
    if (answer) co_return source.image;
    if (!heaviest || weight(answer.error()) > weight(*heaviest)) heaviest = answer.error();
  }
  if (heaviest && weight(*heaviest) > 0) co_return *heaviest;
  co_return nobody_has(sources, digest, kind);
}

ImageName listing_source(const PullShared& shared, const Asked& asked) {
  const auto members = shared.virtual_images.members_of(asked.image);
  const bool itself =
      members.empty() || std::find(members.begin(), members.end(), asked.image) != members.end();
  return itself ? asked.image : members.front();
}

Result<void> check_allowed(const PullShared& shared, const Asked& asked, const Digest& digest) {
  const auto& policy = shared.settings->policy;  // No rule changes what is allowed.
  if (policy.allow.empty()) return {};
  for (const auto& source : sources_of(shared, asked)) {
    const auto platform = Platform::parse(granted_platform(shared, source.image, digest));
    if (!platform) continue;
    if (resolver::is_allowed(policy, *platform)) return {};
    std::string allowed;
    for (const auto& one : policy.allow) allowed += (allowed.empty() ? "" : ", ") + one.str();
    return Error{.code = Errc::denied,
                 .message = full_name(source.image, digest) + " is of an image for " +
                            platform->str() +
                            ", which platforms.allow does not let through (only " + allowed + ")",
                 .context = "platforms.allow"};
  }
  return {};
}

}  // namespace archway::proxy
