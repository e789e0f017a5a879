#include "proxy/pull/single.hpp"

#include "proxy/pull/obtain_blob.hpp"

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using resolver::Verdict;
using Wrong = resolver::VerdictPolicy::Wrong;
using Known = SinglePlatforms::Known;
using QuestionPtr = std::shared_ptr<const Question>;

constexpr std::chrono::minutes patience{2};

Verdict pass(std::string reason) {
  return {.kind = Verdict::Kind::pass, .reason = std::move(reason)};
}

/// An image, whose config tells its platform; not a chart, a signature or another artifact.
bool is_image(const resolver::Manifest& manifest) {
  return manifest.kind == ManifestKind::manifest && manifest.interpretable && manifest.config &&
         (manifest.config->media_type == "application/vnd.oci.image.config.v1+json" ||
          manifest.config->media_type == "application/vnd.docker.container.image.v1+json");
}

bool is_stated(const Question& question) {
  return question.client.resolves && question.client.platform;
}

/// True when the answer may be another one for another platform of the image.
bool matters(const Question& question) {
  if (!question.policy.allow.empty()) return true;
  return question.policy.wrong != Wrong::pass && is_stated(question);
}

/// True when the answer itself depends on it, not only a header of it.
bool must_be_known(const Question& question) {
  if (!question.policy.allow.empty()) return true;
  return question.policy.wrong == Wrong::refuse || question.why != nullptr;
}

Verdict judge(const Question& question, const Known& known) {
  if (!known.runs_on) return pass("a single manifest, whose config names no platform");
  return resolver::decide_single(*known.runs_on, question.client, question.policy, question.name);
}

net::awaitable<Result<Known>> read_config(PullParts* parts, ImageName image,
                                          StoredManifest manifest) {
  const auto config = manifest.manifest->config->digest;
  const auto bytes =
      co_await read_small_blob(parts, std::move(image), config, resolver::manifest_bytes_max);
  if (!bytes) co_return bytes.error();
  const Known known{.runs_on = resolver::parse_config_platform(*bytes)};
  parts->shared->single_platforms.remember(manifest.digest, known);
  co_return known;
}

/// By one reading of the config however many ask.
net::awaitable<Result<Known>> learn(PullParts* parts, ImageName image, StoredManifest manifest) {
  const std::string key = image.str() + "@" + manifest.digest.str();
  // Goes on when the client that it goes by has left.
  const SingleFlight<Known>::Work work = [parts, image, manifest,
                                          loan = parts->upstreams->loan_of(image)] {
    return read_config(parts, image, manifest);
  };
  co_return co_await parts->shared->configs.run(key, work, patience);
}

net::awaitable<void> look_later(PullParts* parts, QuestionPtr question, StoredManifest manifest,
                                std::shared_ptr<SinglePlatforms::Claim>) {
  const auto known = co_await learn(parts, question->image, manifest);
  if (!known) {
    parts->shared->log->debug(
        "the platform of a single image could not be told",
        {{"image", question->name}, {"why", std::string(known.error().message)}});
    co_return;
  }
  const auto verdict = judge(*question, *known);
  if (!verdict.message.empty()) {
    log_wrong_platform(*parts->shared, question->name, manifest.digest, verdict.message);
  }
}

void look_soon(PullParts* parts, const net::any_io_executor& executor, const QuestionPtr& question,
               const StoredManifest& manifest) {
  auto claim = parts->shared->single_platforms.claim(manifest.digest);
  if (!claim) return;
  auto held = std::make_shared<SinglePlatforms::Claim>(*std::move(claim));
  net::co_spawn(executor, look_later(parts, question, manifest, std::move(held)),
                [log = parts->shared->log,
                 loan = parts->upstreams->loan_of(question->image)](std::exception_ptr escaped) {
                  if (escaped) log->error("looking at a config ended by an exception");
                });
}

}  // namespace

net::awaitable<Result<Verdict>> judge_single(PullParts* parts, QuestionPtr question,
                                             StoredManifest manifest) {
  if (!is_image(*manifest.manifest)) co_return pass("neither an index nor an image");
  if (!matters(*question)) co_return pass("a single manifest");
  const auto known = parts->shared->single_platforms.find(manifest.digest);
  if (known) co_return judge(*question, *known);
  if (!must_be_known(*question)) {
    const auto executor = co_await net::this_coro::executor;
    look_soon(parts, executor, question, manifest);
    co_return pass("a single manifest, whose platform is being looked up");
  }
  note_parts(*question, *parts->shared->cache, *manifest.manifest);
  const auto learnt = co_await learn(parts, question->image, manifest);
  if (learnt) co_return judge(*question, *learnt);
  const bool decides = !question->policy.allow.empty() || question->policy.wrong == Wrong::refuse;
  if (decides && is_passing(learnt.error())) co_return learnt.error();
  co_return pass("a single manifest, whose config cannot be had");
}

void log_wrong_platform(const PullShared& shared, const std::string& image, const Digest& digest,
                        const std::string& what) {
  shared.log->write_seldom("wrong " + digest.str(), metrics::Level::warn,
                           "an image for another platform was handed out",
                           {{"image", image}, {"digest", digest.str()}, {"what", what}});
}

}  // namespace archway::proxy
