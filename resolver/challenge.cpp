#include "resolver/challenge.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>
#include <set>

namespace archway::resolver {
namespace {

bool is_token_char(char c) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         marks.find(c) != std::string_view::npos;
}

/// Reads one line from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }
  void skip_commas() {
    for (skip_spaces(); skip(','); skip_spaces()) {
    }
  }
  /// "" when no token stands here.
  std::string_view token() { return take_while(is_token_char); }

  /// A base64-like credential (`Negotiate YII…==`) as long as it fills the place of the parameters.
  bool skip_token68() {
    const auto before = rest_;
    const auto body = take_while([](char c) { return is_token_char(c) || c == '/'; });
    take_while([](char c) { return c == '='; });
    skip_spaces();
    if (!body.empty() && (at_end() || rest_.front() == ',')) return true;
    rest_ = before;
    return false;
  }

  /// A token or quoted string; none when neither stands here.
  std::optional<std::string> value() {
    if (!skip('"')) {
      const auto plain = token();
      return plain.empty() ? std::nullopt : std::optional(std::string(plain));
    }
    std::string text;
    while (!at_end()) {
      if (skip('"')) return text;
      if (skip('\\') && at_end()) break;
      if (static_cast<unsigned char>(rest_.front()) < 0x20 && rest_.front() != '\t') break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return std::nullopt;
  }

  /// Takes `name =` when that is what comes next, else nothing.
  std::optional<std::string> parameter_name() {
    const auto before = rest_;
    const auto found = token();
    skip_spaces();
    if (!found.empty() && skip('=')) {
      skip_spaces();
      return lower(found);
    }
    rest_ = before;
    return std::nullopt;
  }

 private:
  template <class Predicate>
  std::string_view take_while(Predicate good) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), good);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

std::string* member(Challenge& challenge, std::string_view name) {
  if (name == "realm") return &challenge.realm;
  if (name == "service") return &challenge.service;
  if (name == "scope") return &challenge.scope;
  if (name == "error") return &challenge.error;
  return nullptr;
}

enum class Outcome : std::uint8_t { good, worthless, broken };

/// Reads the parameters up to the next challenge or the end.
Outcome read_parameters(Reader& reader, Challenge& challenge) {
  if (reader.skip_token68()) return Outcome::worthless;  // Basic and Bearer have none.
  std::set<std::string> seen;
  auto outcome = Outcome::good;
  for (auto name = reader.parameter_name(); name; name = reader.parameter_name()) {
    auto value = reader.value();
    reader.skip_spaces();
    if (!value || seen.size() == challenge_parameters_max) return Outcome::broken;
    if (!reader.at_end() && !reader.skip(',')) return Outcome::broken;
    if (!seen.insert(*name).second) outcome = Outcome::worthless;
    if (auto* const place = member(challenge, *name)) *place = *std::move(value);
    reader.skip_commas();
  }
  return outcome;
}

/// False when the bound on challenges is reached.
bool read_line(std::string_view line, std::size_t& count, std::vector<Challenge>& challenges) {
  Reader reader(line);
  for (reader.skip_commas(); !reader.at_end(); reader.skip_commas()) {
    if (++count > challenges_max) return false;
    const auto scheme = lower(reader.token());
    reader.skip_spaces();
    Challenge challenge;
    if (scheme == "bearer") challenge.scheme = Challenge::Scheme::bearer;
    const auto outcome = read_parameters(reader, challenge);
    if (scheme.empty() || outcome == Outcome::broken) return true;
    const bool known = scheme == "basic" || scheme == "bearer";
    if (known && outcome == Outcome::good) challenges.push_back(std::move(challenge));
  }
  return true;
}

}  // namespace

std::vector<Challenge> read_challenges(const std::vector<std::string_view>& lines) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  std::vector<Challenge> challenges;
  for (const auto line : lines) {
    bytes += line.size();
    if (bytes > challenge_bytes_max || !read_line(line, count, challenges)) return {};
  }
  return challenges;
}

std::optional<Challenge> to_answer(const std::vector<Challenge>& challenges) {
  const Challenge* basic = nullptr;
  for (const auto& challenge : challenges) {
    const bool bearer = challenge.scheme == Challenge::Scheme::bearer;
    if (bearer && !challenge.realm.empty()) return challenge;
    if (!bearer && basic == nullptr) basic = &challenge;
  }
  return basic == nullptr ? std::nullopt : std::optional(*basic);
}

}  // namespace archway::resolver
