#include "proxy/admin/upstreams.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/together.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::seconds check_max{10};

/// What an upstream said to a ping.
struct Reached {
  bool reachable = false;
  std::string why = {};  ///< what is wrong; "" : nothing
  double seconds = 0;
};

/// Whoever says no, or not now, is there.
bool answers(const Error& error) {
  return error.code == Errc::denied || error.code == Errc::upstream_busy;
}

net::awaitable<Reached> reach(Registry* registry) {
  const auto begun = std::chrono::steady_clock::now();
  const auto pinged = co_await registry->ping();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  Reached reached{.reachable = pinged || answers(pinged.error()), .seconds = took.count()};
  if (!pinged) reached.why = pinged.error().message;
  co_return reached;
}

boost::json::object described(const Settings::Upstream& upstream) {
  return {{"name", upstream.name},
          {"url", upstream.url.str()},
          {"has_credentials", !upstream.credentials.empty()},
          {"default", upstream.is_default}};
}

boost::json::object shown(const Health::State& state) {
  boost::json::object document{{"url", state.url},
                               {"answers", state.answers},
                               {"last_error", state.last_error},
                               {"held_seconds", state.held.count()},
                               {"rate_limit", nullptr}};
  if (!state.limit) return document;
  document["rate_limit"] = boost::json::object{{"limit", state.limit->limit},
                                               {"remaining", state.limit->remaining},
                                               {"window_seconds", state.limit->window.count()},
                                               {"low", state.limit->is_low()}};
  return document;
}

/// What is known of the upstream's URLs without asking.
boost::json::array state_of(const std::vector<Health::State>& states, const std::string& name) {
  boost::json::array list;
  for (const auto& state : states) {
    if (state.upstream == name) list.push_back(shown(state));
  }
  return list;
}

void add(boost::json::object& document, const std::optional<Reached>& reached) {
  const Reached late{.why = "no answer within 10 s", .seconds = check_max.count()};
  const auto& result = reached ? *reached : late;
  document["reachable"] = result.reachable;
  document["why"] = result.why;
  document["seconds"] = std::round(result.seconds * 1000) / 1000;
}

}  // namespace

std::vector<Parameter> upstreams_parameters() {
  return {{"check"}};
}

net::awaitable<Response> answer_upstreams(AdminParts* parts, Query query) {
  const auto check = query.flag("check");
  if (!check) co_return error_answer(check.error());
  const auto& upstreams = parts->settings().upstreams;
  std::vector<std::optional<Reached>> reached;
  if (*check) {
    std::vector<net::awaitable<Reached>> questions;
    for (const auto& upstream : upstreams) {
      questions.push_back(reach(parts->pull.upstreams->find(upstream.name)));
    }
    reached = co_await run_together(std::move(questions), check_max, parts->pull.shared->log);
  }
  const auto states = parts->pull.upstreams->states();
  boost::json::array list;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    auto document = described(upstreams[i]);
    document["urls"] = state_of(states, upstreams[i].name);
    if (*check) add(document, reached[i]);
    list.push_back(std::move(document));
  }
  co_return json_answer(200, boost::json::value(std::move(list)));
}

}  // namespace archway::proxy
