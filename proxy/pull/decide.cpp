#include "proxy/pull/decide.hpp"

#include "proxy/pull/asked.hpp"
#include "proxy/pull/choose.hpp"
#include "proxy/pull/filter.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/single.hpp"
#include "proxy/pull/virtual_index.hpp"
#include "resolver/platform_order.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using resolver::Verdict;
using QuestionPtr = std::shared_ptr<const Question>;
using TaggedPtr = std::shared_ptr<const Tagged>;

/// What the client runs, best first, as decide() looks for it.
std::vector<std::string> ladder_of(const resolver::ClientPlatform& client) {
  std::vector<std::string> rungs;
  if (!client.platform || client.variant_unknown) return rungs;
  for (const auto& rung : resolver::ladder(*client.platform)) rungs.push_back(rung.str());
  for (const auto& emulated : client.emulates) {
    for (const auto& rung : resolver::ladder(emulated.normalised(), resolver::Reach::architecture))
      rungs.push_back(rung.str() + " (emulated)");
  }
  return rungs;
}

QuestionPtr ask(const PullShared& shared, const ImageName& image, const Tag& tag,
                resolver::ClientPlatform client, Explanation* why) {
  std::string rule;
  Question question{.image = image,
                    .name = full_name(image, tag),
                    .client = std::move(client),
                    .policy = policy_for(*shared.settings, image, &rule),
                    .why = why};
  if (why != nullptr) {
    why->image = question.name;
    why->client = question.client;
    why->ladder = ladder_of(question.client);
    why->policy = question.policy;
    why->policy_rule = rule;
    question.fetched = std::make_shared<std::set<Digest>>();
  }
  return std::make_shared<const Question>(std::move(question));
}

std::string word(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::pass: return "pass";
    case Verdict::Kind::child: return "child";
    case Verdict::Kind::filter: return "filter";
    case Verdict::Kind::load: return "load";
    case Verdict::Kind::refuse: return "refuse";
  }
  return "";
}

void explain_tag(const Question& question, const Tagged& top) {
  if (question.why == nullptr) return;
  auto& why = *question.why;
  why.tag_digest = top.manifest.digest.str();
  why.tag_outcome = name(top.outcome);
  const auto& manifest = *top.manifest.manifest;
  if (manifest.kind == ManifestKind::index && manifest.interpretable) {
    why.entries = resolver::look_at(manifest, question.client, question.policy);
  }
}

void explain_verdict(const Question& question, const Verdict& verdict) {
  if (question.why == nullptr) return;
  question.why->verdict = word(verdict.kind);
  question.why->reason = verdict.reason;
}

/// What the client gets; `cached`: it was here before.
void explain_answer(const Question& question, cache::Cache& cache, const StoredManifest& manifest,
                    bool cached) {
  if (question.why == nullptr) return;
  question.why->cached = cached;
  note_only_parts_of(question, cache, *manifest.manifest);
}

net::awaitable<Result<Tagged>> obtain_top(PullParts* parts, QuestionPtr question, Tag tag,
                                          bool anew) {
  const auto made_of = parts->shared->virtual_images.find(question->image, tag);
  if (question->why != nullptr) question->why->virtual_image = made_of;
  if (made_of) co_return co_await make_virtual_index(parts, *made_of, tag, anew);
  const Reference reference = tag;
  co_return co_await obtain_tagged(parts, question->image, reference, anew);
}

net::awaitable<Result<Verdict>> judge(PullParts* parts, QuestionPtr question,
                                      StoredManifest manifest) {
  if (manifest.manifest->kind == ManifestKind::index) {
    co_return co_await choose(parts, question, manifest);
  }
  co_return co_await judge_single(parts, question, manifest);
}

/// True when the child was here before anybody asked, not only before this last step.
bool was_cached(const Question& question, const Tagged& top, const StoredManifest& child) {
  const auto member = top.children.find(child.digest);
  if (member != top.children.end()) return member->second.cached;
  const bool looked_into = question.fetched && question.fetched->contains(child.digest);
  return child.outcome == metrics::Outcome::hit && !looked_into;
}

/// The child that was chosen, from the image that it is published under.
net::awaitable<Result<Decided>> take_child(PullParts* parts, QuestionPtr question, TaggedPtr top,
                                           Digest digest) {
  const auto member = top->children.find(digest);
  const ImageName from = member == top->children.end() ? question->image : member->second.image;
  auto child = co_await obtain_manifest(parts, from, digest);
  if (!child) co_return child.error();
  const bool cached = was_cached(*question, *top, *child);
  explain_answer(*question, *parts->shared->cache, *child, cached);
  const auto outcome = worst(top->outcome, child->outcome);
  co_return Decided{.manifest = *std::move(child),
                    .index = top->manifest.digest,
                    .outcome = outcome,
                    .stale_since = top->stale_since,
                    .looked_inside = *question->looked_inside,
                    .from = from};
}

net::awaitable<Result<Decided>> take_filtered(PullParts* parts, QuestionPtr question, TaggedPtr top,
                                              std::vector<std::size_t> kept) {
  auto made = co_await obtain_filtered(parts, question->image, top->manifest, std::move(kept));
  if (!made) co_return made.error();
  const bool cached = made->outcome == metrics::Outcome::hit;
  explain_answer(*question, *parts->shared->cache, *made, cached);
  co_return Decided{.manifest = *std::move(made),
                    .index = top->manifest.digest,
                    .outcome = top->outcome,
                    .stale_since = top->stale_since,
                    .looked_inside = *question->looked_inside,
                    .from = question->image};
}

Decided take_as_it_is(const PullParts& parts, const Question& question, const Tagged& top,
                      const Verdict& verdict) {
  explain_answer(question, *parts.shared->cache, top.manifest, top.cached);
  return {.manifest = top.manifest,
          .outcome = top.outcome,
          .stale_since = top.stale_since,
          .looked_inside = *question.looked_inside,
          .warning = verdict.message,
          .from = question.image};
}

}  // namespace

net::awaitable<Result<Decided>> decide_tag(PullParts* parts, ImageName image, Tag tag,
                                           resolver::ClientPlatform client, Explanation* why,
                                           bool anew) {
  const auto question = ask(*parts->shared, image, tag, std::move(client), why);
  auto obtained = co_await obtain_top(parts, question, tag, anew);
  if (!obtained) co_return obtained.error();
  const TaggedPtr top = std::make_shared<const Tagged>(*std::move(obtained));
  explain_tag(*question, *top);
  const auto verdict = co_await judge(parts, question, top->manifest);
  if (!verdict) co_return verdict.error();
  explain_verdict(*question, *verdict);
  switch (verdict->kind) {
    case Verdict::Kind::child:
      co_return co_await take_child(parts, question, top, verdict->target->digest);
    case Verdict::Kind::filter:
      co_return co_await take_filtered(parts, question, top, verdict->kept);
    case Verdict::Kind::refuse:
      co_return Error{
          .code = Errc::denied, .message = verdict->message, .context = verdict->reason};
    case Verdict::Kind::pass:
    case Verdict::Kind::load: break;  // Whoever judges never leaves it undecided.
  }
  co_return take_as_it_is(*parts, *question, *top, *verdict);
}

}  // namespace archway::proxy
