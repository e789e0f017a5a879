#include "proxy/command/online.hpp"

#include "proxy/upstream/upstreams.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// A member and where its answer goes.
struct Question {
  VirtualImage::Member member;
  std::optional<Tag> tag;  ///< of the virtual image
  MemberAnswer* answer;
};

/// What one upstream is asked, one thing after the other.
struct Interview {
  Registry* registry;
  UpstreamAnswer* answer;
  std::vector<Question> questions = {};
};

net::awaitable<std::optional<Error>> ask_for_member(Registry* registry, Question question) {
  auto reference = question.member.reference;
  if (!reference && question.tag) reference = Reference(*question.tag);
  if (!reference) {
    const auto tags = co_await registry->get_tags(question.member.image.repository, "n=1");
    if (!tags) co_return tags.error();
    co_return std::nullopt;
  }
  const auto head = co_await registry->head_manifest(question.member.image.repository, *reference);
  if (!head) co_return head.error();
  co_return std::nullopt;
}

net::awaitable<void> hold(Interview* interview) {
  const auto pinged = co_await interview->registry->ping();
  if (!pinged) interview->answer->error = pinged.error();
  for (const Question& question : interview->questions) {
    // Whoever cannot be reached would let every question wait for its full time.
    if (!pinged && pinged.error().code == Errc::upstream_unreachable) {
      question.answer->error = pinged.error();
      continue;
    }
    question.answer->error = co_await ask_for_member(interview->registry, question);
  }
}

std::string text_of(const VirtualImage::Member& member) {
  std::string text = member.image.str();
  if (!member.reference) return text;
  const bool digest = std::holds_alternative<Digest>(*member.reference);
  return text + (digest ? "@" : ":") + str(*member.reference);
}

/// Runs all of them at once, on this thread.
void hold_all(net::io_context& context, std::vector<Interview>& interviews) {
  std::size_t left = interviews.size();
  std::exception_ptr escaped;
  for (Interview& interview : interviews) {
    net::co_spawn(context, hold(&interview), [&](const std::exception_ptr& error) {
      if (error) escaped = error;
      // Idle connections would keep the context busy.
      if (--left == 0) context.stop();
    });
  }
  if (left > 0) context.run();
  if (escaped) std::rethrow_exception(escaped);
}

/// Every place of an upstream as one of its own: each shall be there.
Settings with_places_apart(Settings settings) {
  const auto upstreams = std::exchange(settings.upstreams, {});
  for (auto upstream : upstreams) {
    const auto further = std::exchange(upstream.further_urls, {});
    settings.upstreams.push_back(upstream);
    for (const auto& url : further) {
      settings.upstreams.push_back(upstream);
      settings.upstreams.back().name += " at " + url.authority();
      settings.upstreams.back().url = url;
    }
  }
  return settings;
}

/// A place for every answer before anything is asked: it must not move then.
OnlineAnswers places_for(const Settings& settings) {
  OnlineAnswers places;
  for (const Settings::Upstream& upstream : settings.upstreams) {
    places.upstreams.push_back({.name = upstream.name, .url = upstream.url.str()});
  }
  for (const VirtualImage& image : settings.images) {
    for (const auto& member : image.members) {
      places.members.push_back(
          {.image = image.str(), .platform = member.platform.str(), .member = text_of(member)});
    }
  }
  return places;
}

void add_questions(const Settings& settings, OnlineAnswers& places,
                   std::vector<Interview>& interviews) {
  std::size_t at = 0;
  for (const VirtualImage& image : settings.images) {
    for (const auto& member : image.members) {
      MemberAnswer& place = places.members[at++];
      bool known = false;
      for (Interview& interview : interviews) {
        if (interview.answer->name != member.image.upstream) continue;
        interview.questions.push_back({member, image.tag, &place});
        known = true;
      }
      if (known) continue;
      place.error =
          Error{.code = Errc::name_unknown,
                .origin = Origin::configuration,
                .message = member.image.upstream + " is no upstream of this configuration"};
    }
  }
}

}  // namespace

bool something_is_missing(const OnlineAnswers& answers) {
  const auto failed = [](const auto& answer) { return answer.error.has_value(); };
  return std::any_of(answers.upstreams.begin(), answers.upstreams.end(), failed) ||
         std::any_of(answers.members.begin(), answers.members.end(), failed);
}

Result<OnlineAnswers> ask_online(const Settings& given) {
  const Settings settings = with_places_apart(given);
  const auto shared = UpstreamShared::make(settings, nullptr, nullptr);
  if (!shared) return shared.error();
  net::io_context context{1};
  const auto upstreams = Upstreams::make(*shared, context.get_executor());
  OnlineAnswers answers = places_for(settings);
  std::vector<Interview> interviews;
  interviews.reserve(answers.upstreams.size());
  for (UpstreamAnswer& answer : answers.upstreams) {
    interviews.push_back({.registry = upstreams->find(answer.name), .answer = &answer});
  }
  add_questions(settings, answers, interviews);
  hold_all(context, interviews);
  return answers;
}

}  // namespace archway::proxy
