#include "tests/bench/load_plan.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <stdexcept>

namespace archway::bench {
namespace {

std::invalid_argument wrong(std::string_view what, std::string_view found) {
  return std::invalid_argument(std::string(what) + ", not '" + std::string(found) + "'");
}

template <class Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw wrong("a number", text);
  return value;
}

/// http://ADDRESS:PORT/TARGET.
void read_url(Plan& plan, std::string_view url) {
  const auto scheme = url.substr(0, url.find("://"));
  if (scheme != "http" && scheme != "https") throw wrong("http://ADDRESS:PORT/TARGET", url);
  plan.tls = scheme == "https";
  url.remove_prefix(scheme.size() + 3);
  const auto slash = url.find('/');
  const auto colon = url.find(':');
  if (slash == std::string_view::npos || colon > slash) throw wrong("ADDRESS:PORT/TARGET", url);
  const std::string address(url.substr(0, colon));
  plan.host = url.substr(0, slash);
  plan.targets.emplace_back(url.substr(slash));
  plan.server.sin_family = AF_INET;
  plan.server.sin_port = htons(number<std::uint16_t>(url.substr(colon + 1, slash - colon - 1)));
  if (::inet_pton(AF_INET, address.c_str(), &plan.server.sin_addr) != 1) {
    throw wrong("an IPv4 address", address);
  }
}

/// True when it is one of those without a value.
bool read_switch(Plan& plan, std::string_view option) {
  if (option == "--new") return plan.new_connections = true;
  if (option == "--resume") return plan.resume = true;
  if (option == "--hold") return plan.hold = true;
  if (option == "--cut") return plan.cut = true;
  if (option != "--drop") return false;
  plan.body = Plan::Body::drop;
  return true;
}

void read_option(Plan& plan, std::string_view option, std::string_view value) {
  if (option == "--clients") {
    plan.clients = number<std::size_t>(value);
  } else if (option == "--requests") {
    plan.requests = number<std::uint64_t>(value);
  } else if (option == "--seconds") {
    plan.time = std::chrono::duration<double>(number<double>(value));
  } else if (option == "--rate") {
    plan.rate = number<std::uint64_t>(value);
  } else if (option == "--method") {
    plan.method = value;
  } else if (option == "--header") {
    plan.lines += std::string(value) + "\r\n";
  } else {
    throw wrong("an option that there is", option);
  }
}

}  // namespace

Plan read_plan(const std::vector<std::string_view>& arguments) {
  Plan plan;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    const auto word = arguments[at];
    if (!word.starts_with("--")) {
      read_url(plan, word);
    } else if (!read_switch(plan, word)) {
      if (++at == arguments.size()) throw wrong("a value behind the option", word);
      read_option(plan, word, arguments[at]);
    }
  }
  if (plan.targets.empty()) throw std::invalid_argument("a URL is missing");
  if (plan.requests == 0 && plan.time.count() == 0) plan.requests = plan.clients;
  return plan;
}

}  // namespace archway::bench
