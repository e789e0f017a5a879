#include "proxy/pull/serve_manifest.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/resolve_tag.hpp"
#include "resolver/glob.hpp"
#include "resolver/verdict.hpp"

#include <map>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// The manifest that answers, and the index it was chosen from.
struct Chosen {
  StoredManifest manifest;
  std::optional<Digest> index = {};
};

resolver::VerdictPolicy policy_for(const Settings& settings, const ImageName& image) {
  auto policy = settings.policy;
  for (const auto& rule : settings.policy_rules) {
    if (!resolver::glob_matches(rule.match, image.str())) continue;
    policy.answer = rule.answer;
    break;
  }
  return policy;
}

/// True for failures that may be gone in a minute: nothing should be decided by them.
bool passing(const Error& error) {
  return error.code == Errc::upstream_unreachable || error.code == Errc::upstream_busy ||
         error.code == Errc::overloaded || error.code == Errc::storage_failed;
}

using Loaded = std::map<Digest, std::shared_ptr<const resolver::Manifest>>;

/// What a decision asks for: a nested index, or a manifest of which the index does not say the
/// platform, together with what its config says. What cannot be had counts as empty.
net::awaitable<Result<std::shared_ptr<const resolver::Manifest>>> load(PullParts* parts,
                                                                       ImageName image,
                                                                       Digest digest) {
  const auto stored = co_await obtain_manifest(parts, image, digest);
  if (!stored && passing(stored.error())) co_return stored.error();
  if (!stored) co_return std::make_shared<const resolver::Manifest>();
  const auto config = stored->manifest->config;
  if (stored->manifest->kind != ManifestKind::manifest || !config) co_return stored->manifest;
  const auto bytes =
      co_await read_small_blob(parts, image, config->digest, resolver::manifest_bytes_max);
  if (!bytes && passing(bytes.error())) co_return bytes.error();
  auto described = std::make_shared<resolver::Manifest>(*stored->manifest);
  if (bytes) described->runs_on = resolver::parse_config_platform(*bytes);
  const std::shared_ptr<const resolver::Manifest> loaded = std::move(described);
  co_return loaded;
}

/// Chooses from an index, fetching what the decision asks for (bounded by the resolver).
net::awaitable<Result<Chosen>> choose(PullParts* parts, std::shared_ptr<const Asked> asked,
                                      StoredManifest index, std::string image) {
  const auto policy = policy_for(*parts->shared->settings, asked->image);
  Loaded loaded;
  const resolver::NestedIndexes find = [&loaded](const Digest& digest) {
    const auto found = loaded.find(digest);
    return found == loaded.end() ? nullptr : found->second.get();
  };
  for (;;) {
    const auto verdict = resolver::decide(*index.manifest, asked->client, policy, image, find);
    if (verdict.kind == resolver::Verdict::Kind::refuse) {
      co_return Error{.code = Errc::denied, .message = verdict.message, .context = verdict.reason};
    }
    if (verdict.kind == resolver::Verdict::Kind::child) {
      auto child = co_await obtain_manifest(parts, asked->image, verdict.target->digest);
      if (!child) co_return child.error();
      Chosen chosen{.manifest = *std::move(child), .index = index.digest};
      co_return chosen;
    }
    if (verdict.kind == resolver::Verdict::Kind::pass) break;
    auto more = co_await load(parts, asked->image, verdict.target->digest);
    if (!more) co_return more.error();
    loaded.emplace(verdict.target->digest, *std::move(more));
  }
  Chosen unaltered{.manifest = std::move(index)};
  co_return unaltered;
}

Response answer(const Asked& asked, const Chosen& chosen, metrics::Outcome outcome, bool by_tag) {
  const auto digest = chosen.manifest.digest.str();
  const auto etag = "\"" + digest + "\"";
  asked.account->digest = digest;
  Response response;
  response.fields.add("Content-Type", chosen.manifest.media_type);
  response.fields.add("Docker-Content-Digest", digest);
  response.fields.add("ETag", etag);
  add_common_fields(response, asked);
  if (chosen.index) response.fields.add("Archway-Index", chosen.index->str());
  if (by_tag) response.fields.add("Vary", "Accept, User-Agent, Archway-Platform");
  add_outcome(response, asked, outcome);
  response.body = chosen.manifest.bytes;
  return unchanged(*asked.request, etag) ? not_modified(std::move(response)) : response;
}

/// What the client is told of how its answer came about: the worst of tag and manifest.
metrics::Outcome combined(metrics::Outcome tag, metrics::Outcome manifest) {
  if (tag == metrics::Outcome::stale) return tag;
  return tag == metrics::Outcome::miss ? tag : manifest;
}

net::awaitable<Result<Response>> serve_by_digest(PullParts* parts,
                                                 std::shared_ptr<const Asked> asked,
                                                 Digest digest) {
  auto manifest = co_await obtain_manifest(parts, asked->image, digest);
  if (!manifest) co_return manifest.error();
  const auto outcome = manifest->outcome;
  const Chosen chosen{.manifest = *std::move(manifest)};
  co_return answer(*asked, chosen, outcome, false);
}

}  // namespace

net::awaitable<Result<Response>> serve_manifest(PullParts* parts,
                                                std::shared_ptr<const Asked> asked) {
  if (const auto* digest = std::get_if<Digest>(&*asked->route.reference)) {
    co_return co_await serve_by_digest(parts, asked, *digest);
  }
  const auto& tag = std::get<Tag>(*asked->route.reference);
  const auto resolved = co_await resolve_tag(parts, asked->image, tag);
  if (!resolved) co_return resolved.error();
  auto manifest = co_await obtain_manifest(parts, asked->image, resolved->digest);
  if (!manifest) co_return manifest.error();
  auto outcome = combined(resolved->outcome, manifest->outcome);
  Chosen chosen{.manifest = *std::move(manifest)};
  if (asked->client.resolves && chosen.manifest.manifest->kind == ManifestKind::index) {
    auto decided = co_await choose(parts, asked, std::move(chosen.manifest),
                                   asked->image.str() + ":" + tag.str());
    if (!decided) co_return decided.error();
    chosen = *std::move(decided);
    outcome = combined(outcome, chosen.manifest.outcome);
  }
  co_return answer(*asked, chosen, outcome, true);
}

}  // namespace archway::proxy
