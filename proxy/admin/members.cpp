#include "proxy/admin/members.hpp"

#include "proxy/admin/together.hpp"
#include "proxy/pull/choose.hpp"
#include "proxy/pull/tagged.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Member = VirtualImage::Member;

constexpr std::chrono::seconds look_max{30};

std::shared_ptr<const Question> question_for(const Member& member) {
  Question question{.image = member.image, .name = member.image.str(), .client = {}, .policy = {}};
  question.client.platform = member.platform;
  question.client.resolves = true;
  question.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  return std::make_shared<const Question>(std::move(question));
}

/// Why an index has nothing for the member's platform; "" : it has.
net::awaitable<std::string> why_not_in(PullParts* parts, Member member, StoredManifest index) {
  const auto verdict = co_await choose(parts, question_for(member), std::move(index));
  if (!verdict) co_return verdict.error().message;
  if (verdict->kind == resolver::Verdict::Kind::child) co_return std::string();
  co_return "it is an index without anything for " + member.platform.str();
}

/// Why there is no such member; "" : there is. `tag` is the one of the virtual image.
net::awaitable<std::string> why_missing(PullParts* parts, Member member, std::optional<Tag> tag) {
  if (!member.reference && tag) member.reference = Reference(*tag);
  if (!member.reference) {
    const auto& repository = member.image.repository;
    const auto tags = co_await parts->registry(member.image)->get_tags(repository, "n=1");
    co_return tags ? std::string() : tags.error().message;
  }
  const auto found = co_await obtain_tagged(parts, member.image, *member.reference);
  if (!found) co_return found.error().message;
  if (found->manifest.manifest->kind == ManifestKind::manifest) co_return std::string();
  if (found->manifest.manifest->kind == ManifestKind::index) {
    co_return co_await why_not_in(parts, member, found->manifest);
  }
  co_return "it is neither an image nor an index: " + found->manifest.media_type;
}

}  // namespace

net::awaitable<std::vector<MissingMember>> find_missing(PullParts* parts, VirtualImage image) {
  std::vector<net::awaitable<std::string>> questions;
  for (const auto& member : image.members) {
    questions.push_back(why_missing(parts, member, image.tag));
  }
  const auto answers = co_await run_together(std::move(questions), look_max, parts->shared->log);
  std::vector<MissingMember> missing;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto why = answers[i].value_or("no answer within 30 s");
    if (!why.empty()) missing.push_back({image.members[i], why});
  }
  co_return missing;
}

}  // namespace archway::proxy
