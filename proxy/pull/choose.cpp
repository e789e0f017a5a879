#include "proxy/pull/choose.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/pull/obtain_manifest.hpp"

#include <map>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Loaded = std::shared_ptr<const resolver::Manifest>;

/// What a decision asks for: a nested index, or a manifest of which the index does not say the
/// platform, together with what its config says. What cannot be had counts as empty.
net::awaitable<Result<Loaded>> load(PullParts* parts, std::shared_ptr<const Question> question,
                                    Digest digest) {
  *question->looked_inside = true;
  const auto stored = co_await obtain_manifest(parts, question->image, digest);
  if (!stored && is_passing(stored.error())) co_return stored.error();
  if (!stored) co_return std::make_shared<const resolver::Manifest>();
  const bool was_here = stored->outcome == metrics::Outcome::hit;
  if (question->fetched && !was_here) question->fetched->insert(digest);
  const auto config = stored->manifest->config;
  if (stored->manifest->kind != ManifestKind::manifest || !config) co_return stored->manifest;
  note_parts(*question, *parts->shared->cache, *stored->manifest);
  const auto bytes = co_await read_small_blob(parts, question->image, config->digest,
                                              resolver::manifest_bytes_max);
  if (!bytes && is_passing(bytes.error())) co_return bytes.error();
  auto described = std::make_shared<resolver::Manifest>(*stored->manifest);
  if (bytes) described->runs_on = resolver::parse_config_platform(*bytes);
  const Loaded loaded = std::move(described);
  co_return loaded;
}

}  // namespace

net::awaitable<Result<resolver::Verdict>> choose(PullParts* parts,
                                                 std::shared_ptr<const Question> question,
                                                 StoredManifest index) {
  std::map<Digest, Loaded> loaded;
  const resolver::NestedIndexes find = [&loaded](const Digest& digest) {
    const auto found = loaded.find(digest);
    return found == loaded.end() ? nullptr : found->second.get();
  };
  for (;;) {
    auto verdict =
        resolver::decide(*index.manifest, question->client, question->policy, question->name, find);
    if (verdict.kind != resolver::Verdict::Kind::load) co_return verdict;
    auto more = co_await load(parts, question, verdict.target->digest);
    if (!more) co_return more.error();
    loaded.emplace(verdict.target->digest, *std::move(more));
  }
}

}  // namespace archway::proxy
