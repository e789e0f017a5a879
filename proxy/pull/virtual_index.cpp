#include "proxy/pull/virtual_index.hpp"

#include "proxy/pull/asked.hpp"
#include "proxy/pull/choose.hpp"
#include "proxy/pull/keep_manifest.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "resolver/index_bytes.hpp"

#include <optional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Member = VirtualImage::Member;
using resolver::Verdict;

/// A member's manifest; none when there is no such member.
using Found = std::optional<Tagged>;

Reference reference_of(const Member& member, const Tag& tag) {
  return member.reference ? *member.reference : Reference(tag);
}

std::string name_of(const Member& member, const Tag& tag) {
  return full_name(member.image, reference_of(member, tag));
}

bool is_absent(const Error& error) {
  return error.code == Errc::manifest_unknown || error.code == Errc::name_unknown;
}

Error not_an_image(const std::string& why) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "it is neither an image nor an index that can be read",
          .context = why};
}

/// A client of the member's own platform asks for the member: nothing else will do.
std::shared_ptr<const Question> ask_for(const Member& member, std::string name) {
  Question question{.image = member.image, .name = std::move(name), .client = {}, .policy = {}};
  question.client.platform = member.platform;
  question.client.resolves = true;
  question.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  return std::make_shared<const Question>(std::move(question));
}

net::awaitable<Result<Found>> find_member(PullParts* parts, Member member, Tag tag, bool anew) {
  auto top = co_await obtain_tagged(parts, member.image, reference_of(member, tag), anew);
  if (!top && is_absent(top.error())) co_return Found();
  if (!top) co_return top.error();
  const auto kind = top->manifest.manifest->kind;
  if (kind == ManifestKind::manifest) co_return Found(*std::move(top));
  if (kind == ManifestKind::other) co_return not_an_image(top->manifest.media_type);
  const auto question = ask_for(member, name_of(member, tag));
  const auto verdict = co_await choose(parts, question, top->manifest);
  if (!verdict) co_return verdict.error();
  if (verdict->kind == Verdict::Kind::refuse) co_return Found();
  if (verdict->kind != Verdict::Kind::child) co_return not_an_image(verdict->reason);
  auto child = co_await obtain_manifest(parts, member.image, verdict->target->digest);
  if (!child) co_return child.error();
  top->outcome = worst(top->outcome, child->outcome);
  top->cached = child->outcome == metrics::Outcome::hit;
  top->manifest = *std::move(child);
  co_return Found(*std::move(top));
}

Error of_member(Error error, const VirtualImage& image, const Tag& tag, const Member& member) {
  error.message = full_name(image.name, tag) + " is made of several images, of which " +
                  name_of(member, tag) + " cannot be had: " + error.message;
  return error;
}

Error no_member(const VirtualImage& image, const Tag& tag) {
  std::string names;
  for (const auto& member : image.members) {
    names += (names.empty() ? "" : ", ") + name_of(member, tag);
  }
  return {.code = Errc::manifest_unknown,
          .message = full_name(image.name, tag) + " is made of several images, and none of them " +
                     "is there: " + names,
          .context = "a virtual image without members"};
}

Error none_allowed(const VirtualImage& image, const Tag& tag) {
  std::string platforms;
  for (const auto& member : image.members) {
    platforms += (platforms.empty() ? "" : ", ") + member.platform.str();
  }
  return {.code = Errc::denied,
          .message = full_name(image.name, tag) + " is made of images for " + platforms +
                     ", none of which platforms.allow lets through",
          .context = "platforms.allow"};
}

std::string entry_of(const Member& member, const StoredManifest& manifest) {
  return resolver::descriptor_json({.media_type = manifest.media_type,
                                    .digest = manifest.digest,
                                    .size = manifest.bytes->size(),
                                    .platform = member.platform});
}

}  // namespace

net::awaitable<Result<Tagged>> make_virtual_index(PullParts* parts, VirtualImage image, Tag tag,
                                                  bool anew) {
  const auto policy = policy_for(*parts->shared->settings, image.name);
  std::vector<std::string> entries;
  std::map<Digest, Tagged::Child> children;
  auto outcome = metrics::Outcome::hit;
  std::optional<std::int64_t> stale_since;
  bool any_allowed = false;
  for (const auto& member : image.members) {
    if (!resolver::is_allowed(policy, member.platform)) continue;
    any_allowed = true;
    const auto found = co_await find_member(parts, member, tag, anew);
    if (!found) co_return of_member(found.error(), image, tag, member);
    if (!*found) continue;
    const auto& manifest = (*found)->manifest;
    entries.push_back(entry_of(member, manifest));
    children.try_emplace(manifest.digest, Tagged::Child{member.image, (*found)->cached});
    outcome = worst(outcome, (*found)->outcome);
    const auto since = (*found)->stale_since;
    if (since && (!stale_since || *since < *stale_since)) stale_since = since;
  }
  if (!any_allowed) co_return none_allowed(image, tag);
  if (entries.empty()) co_return no_member(image, tag);
  auto bytes = resolver::make_index(media_type::oci_index, entries);
  auto kept =
      co_await keep_made(parts, image.name, std::string(media_type::oci_index), std::move(bytes));
  if (!kept) co_return kept.error();
  const bool was_there = kept->outcome == metrics::Outcome::hit;
  co_return Tagged{.manifest = *std::move(kept),
                   .outcome = outcome,
                   .cached = was_there,
                   .stale_since = stale_since,
                   .children = std::move(children)};
}

}  // namespace archway::proxy
