#include "proxy/upstream/status.hpp"

#include "resolver/http_date.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

namespace archway::proxy {
namespace {

/// The first of the upstream's errors.
struct Said {
  std::string code;
  std::string message;
};

std::string printable(std::string_view text) {
  std::string out(text.substr(0, quoted_bytes_max));
  for (auto& c : out) {
    if (c < ' ' || c > '~') c = '?';  // also what would forge a line or break the client's terminal
  }
  return out;
}

std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return {};
  return printable({value->get_string().data(), value->get_string().size()});
}

Said read_said(const std::string& body) {
  if (body.empty() || body.front() != '{') return {};
  boost::json::error_code error;
  const auto value = boost::json::parse(body, error);
  if (error || !value.is_object()) return {};
  const auto* errors = value.get_object().if_contains("errors");
  if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) return {};
  const auto& first = errors->get_array().front();
  if (!first.is_object()) return {};
  return {.code = text_of(first.get_object(), "code"),
          .message = text_of(first.get_object(), "message")};
}

Error unknown(Wanted wanted, const Said& said, const std::string& upstream) {
  Error error{.code = Errc::manifest_unknown, .origin = Origin::upstream, .message = {}};
  if (said.code == "NAME_UNKNOWN" || wanted == Wanted::tags) {
    error.code = Errc::name_unknown;
    error.message = upstream + " says there is no such repository";
  } else if (wanted == Wanted::blob) {
    error.code = Errc::blob_unknown;
    error.message = upstream + " says there is no such blob in this repository";
  } else if (wanted == Wanted::referrers) {
    error.message = upstream + " knows no referrers of this image";
  } else {
    error.message = upstream + " says there is no such image";
  }
  return error;
}

Error busy(const Fields& fields, const std::string& who, unsigned status) {
  const auto after = retry_after_s(fields);
  const auto why = status == 429 ? " has had too many requests from here" : " is busy";
  const auto when = after > 0 ? "; it asks to come back in " + std::to_string(after) + " s" : "";
  return {.code = Errc::upstream_busy,
          .origin = Origin::upstream,
          .message = who + why + when,
          .retryable = true,
          .retry_after_s = after == 0 && status == 429 ? retry_after_s_default : after};
}

/// What a registry's own code for what it does not take means.
Errc code_of_refusal(const Said& said, unsigned status) {
  struct Row {
    std::string_view code;
    Errc means;
  };
  constexpr Row rows[] = {
      {"BLOB_UNKNOWN", Errc::blob_unknown},         {"MANIFEST_BLOB_UNKNOWN", Errc::blob_unknown},
      {"MANIFEST_UNKNOWN", Errc::manifest_unknown}, {"MANIFEST_INVALID", Errc::manifest_invalid},
      {"DIGEST_INVALID", Errc::digest_invalid},     {"NAME_INVALID", Errc::name_invalid},
      {"NAME_UNKNOWN", Errc::name_unknown},         {"UNSUPPORTED", Errc::unsupported}};
  for (const auto& row : rows) {
    if (said.code == row.code) return row.means;
  }
  if (status == 404) return Errc::name_unknown;
  return status == 405 ? Errc::unsupported : Errc::upstream_failed;
}

Error failed(const std::string& who, unsigned status) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = who + " answered with status " + std::to_string(status),
          .retryable = status >= 500};
}

/// A number without a sign; one that is too large to be one is the largest.
std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::int64_t>::max();
  return value;
}

/// Our clock may be wrong; the one that the date was made by is as wrong as the date.
std::int64_t now_of(const Fields& fields) {
  if (const auto date = resolver::parse_http_date(fields.find("Date"))) return *date;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::uint32_t bounded(std::int64_t seconds) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, retry_after_max_s));
}

}  // namespace

Error naming(Error error, const std::string& upstream) {
  if (error.message.find(upstream) == std::string::npos) {
    error.message = upstream + ": " + error.message;
  }
  return error;
}

std::uint32_t retry_after_s(const Fields& fields) {
  if (const auto said = fields.find("Retry-After"); !said.empty()) {
    if (const auto seconds = number(said)) return bounded(*seconds);
    if (const auto date = resolver::parse_http_date(said)) return bounded(*date - now_of(fields));
    return 0;
  }
  constexpr std::int64_t latest = std::int64_t{1} << 40;  // As far away as need be.
  const auto time = number(fields.find("X-Retry-After"));
  return time ? bounded(std::min(*time, latest) - now_of(fields)) : 0;
}

bool upstream_fails(const Error& error) {
  return error.code == Errc::upstream_unreachable || error.code == Errc::upstream_failed ||
         error.code == Errc::upstream_busy;
}

Error error_of_answer(const AnswerHead& head, const std::string& body, std::string_view upstream,
                      Wanted wanted) {
  const std::string who(upstream);
  // An answer to HEAD has no body, and HEAD and GET of a blob have to be answered alike.
  const auto said = wanted == Wanted::blob ? Said() : read_said(body);
  Error error = failed(who, head.status);
  if (head.status == 404 || head.status == 410) {
    error = unknown(wanted, said, who);
  } else if (head.status == 401 || head.status == 403) {
    error = {.code = Errc::denied,
             .origin = Origin::upstream,
             .message = who + " does not give this image to archway"};
  } else if (head.status == 429 || head.status == 503) {
    error = busy(head.fields, who, head.status);
  }
  if (!said.message.empty()) error.message += " (\"" + said.message + "\")";
  error.context = "status " + std::to_string(head.status);
  return error;
}

Error error_of_refused_write(const AnswerHead& head, const std::string& body,
                             std::string_view upstream, const std::string& what) {
  const std::string who(upstream);
  const auto said = read_said(body);
  const auto status = head.status;
  Error error{.code = code_of_refusal(said, status),
              .origin = Origin::upstream,
              .message = who + " did not take " + what + ": status " + std::to_string(status),
              .context = "status " + std::to_string(status),
              .retryable = status >= 500};
  if (status == 401 || status == 403) {
    error.code = Errc::denied;
    error.message = who + " does not let archway write " + what;
  } else if (status == 429 || status == 503) {
    error = busy(head.fields, who, status);
    error.message += "; it did not take " + what;
    error.context = "status " + std::to_string(status);
  }
  if (!said.message.empty()) error.message += " (\"" + said.message + "\")";
  return error;
}

Error error_of_token_service(const AnswerHead& head, std::string_view upstream,
                             std::string_view host, bool with_credentials) {
  const auto who = "the token service of " + std::string(upstream);
  Error error = failed(who, head.status);
  if (head.status == 429 || head.status == 503) {
    error = busy(head.fields, who, head.status);
  } else if (head.status == 400 || head.status == 401 || head.status == 403 || head.status == 404) {
    error = {.code = Errc::denied,
             .origin = Origin::upstream,
             .message = who + (with_credentials ? " refuses the credentials that archway has for it"
                                                : " does not let archway in without credentials")};
  }
  error.context = "token service " + std::string(host) + ": status " + std::to_string(head.status);
  return error;
}

}  // namespace archway::proxy
