#include "proxy/pull/admit.hpp"

#include "proxy/access/under_way.hpp"
#include "proxy/config/access.hpp"
#include "proxy/pull/sources.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using AskedPtr = std::shared_ptr<const Asked>;
using RegistryPtr = std::shared_ptr<Registry>;
using Kind = resolver::Route::Kind;

constexpr std::chrono::minutes patience{2};
constexpr std::chrono::seconds turn_max{20};

bool is_clients(const PullShared& shared, const ImageName& image) {
  return access_for(*shared.settings, image) == Settings::Access::client;
}

std::string needs_own(const ImageName& image) {
  return image.str() + " is given to those whose own credentials are good for it at " +
         image.upstream;
}

Error refused(const ImageName& image, bool nothing_shown) {
  if (nothing_shown) {
    return {.code = Errc::unauthorized,
            .message = needs_own(image) + "; none were sent, and without any it is not given",
            .context = "access: client"};
  }
  return {.code = Errc::denied,
          .origin = Origin::upstream,
          .message = needs_own(image) + "; those that were sent are not",
          .context = "access: client"};
}

Error behind_a_door(const ImageName& image) {
  return {.code = Errc::denied,
          .message = needs_own(image) +
                     "; on this port names and passwords are archway's own, so it is not served "
                     "here",
          .context = "access: client behind htpasswd"};
}

Error made_of_clients(const ImageName& name, const ImageName& member) {
  return {.code = Errc::denied,
          .message = name.str() + " is made of " + member.str() +
                     ", which is given only to those whose own credentials are good for it, and so "
                     "is part of no virtual image",
          .context = "access: client in a virtual image"};
}

Error too_many_failures() {
  return {.code = Errc::overloaded,
          .message = "too many wrong credentials came from this address; try again in a minute",
          .context = "failed attempts",
          .retryable = true,
          .retry_after_s = static_cast<std::uint32_t>(Attempts::period.count())};
}

Error too_many_checks() {
  return {.code = Errc::overloaded,
          .message = "archway is checking as many credentials as it can; try again in a moment",
          .context = "checks_max",
          .retryable = true};
}

Error something_else(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " answers with something else than what was asked for",
          .context = "a check of a client's credentials"};
}

/// A login page answers 200, too.
bool is_content(const std::string& media_type) {
  return !media_type.starts_with("text/");
}

net::awaitable<Result<bool>> ask_manifest(RegistryPtr registry, ImageName image,
                                          Reference reference) {
  const auto head = co_await registry->head_manifest(image.repository, reference);
  if (!head) co_return head.error();
  const auto* wanted = std::get_if<Digest>(&reference);
  const bool other = wanted != nullptr && head->digest && *head->digest != *wanted;
  const bool typed = head->media_type.starts_with("application/vnd.");
  if (other || (!head->digest && !typed)) co_return something_else(image);
  co_return true;
}

/// True for an answer that speaks of this blob: by its digest where the upstream says one, by its
/// length where it is known here. A page that answers 200 to everything is not taken for it.
bool is_about(const Registry::Head& head, const Digest& digest, std::optional<std::uint64_t> size) {
  if (!is_content(head.media_type)) return false;
  if (size && head.size && *head.size != *size) return false;
  if (head.digest) return *head.digest == digest;
  return head.size && !head.media_type.ends_with("json") && !head.media_type.ends_with("html");
}

net::awaitable<Result<bool>> ask_blob(RegistryPtr registry, ImageName image, Digest digest,
                                      std::optional<std::uint64_t> size) {
  const auto head = co_await registry->head_blob(image.repository, digest);
  if (!head) co_return head.error();
  if (!head->by_redirect_alone && !is_about(*head, digest, size)) co_return something_else(image);
  if (!head->by_redirect_alone) co_return true;
  // That the registry leads elsewhere may mean nothing: whoever is there gives a byte of it or not.
  const auto part = co_await registry->open_part(image.repository, digest, 0, 1);
  if (!part) co_return part.error();
  const auto whole = (*part)->size();
  if (size && whole && *whole != *size) co_return something_else(image);
  co_return true;
}

net::awaitable<Result<bool>> ask_tags(RegistryPtr registry, ImageName image) {
  const auto tags = co_await registry->get_tags(image.repository, "n=1");
  if (!tags) co_return tags.error();
  if (!is_content(tags->media_type)) co_return something_else(image);
  co_return true;
}

std::optional<Digest> digest_of(const resolver::Route& route) {
  if (route.digest) return route.digest;
  const auto* by_digest = route.reference ? std::get_if<Digest>(&*route.reference) : nullptr;
  return by_digest == nullptr ? std::nullopt : std::optional<Digest>(*by_digest);
}

/// Of a manifest, or of the one whose referrers are asked for.
Reference reference_of(const Asked& asked) {
  const auto digest = digest_of(asked.route);
  return digest ? Reference(*digest) : Reference(*asked.tag);
}

/// What the client asks for, asked with its own credentials.
net::awaitable<Result<bool>> ask(RegistryPtr registry, ImageName image, AskedPtr asked,
                                 std::optional<std::uint64_t> size) {
  const auto& route = asked->route;
  if (route.kind == Kind::tags) co_return co_await ask_tags(registry, image);
  if (route.kind == Kind::blob) co_return co_await ask_blob(registry, image, *route.digest, size);
  const auto reference = reference_of(*asked);
  co_return co_await ask_manifest(registry, image, reference);
}

/// Of the blob that is asked for, where it is here or coming.
std::optional<std::uint64_t> size_here(const PullShared& shared, const resolver::Route& route) {
  if (route.kind != Kind::blob) return std::nullopt;
  if (const auto blob = shared.cache->open_blob(*route.digest)) return blob->size;
  const auto fill = shared.cache->find_fill(*route.digest);
  return fill ? fill->state().size : std::nullopt;
}

using Turn = std::optional<Attempts::Attempt>;

/// The client's turn to try credentials: no more at once than may still be wrong.
net::awaitable<Result<Turn>> take_turn(PullShared* shared, resolver::Address from) {
  const auto executor = co_await net::this_coro::executor;
  for (;;) {
    if (shared->attempts.exhausted(from)) co_return too_many_failures();
    const auto wakeup = Wakeup::make(executor);
    Turn turn = shared->attempts.begin(from, [wakeup] { wakeup->fire(); });
    if (turn) co_return turn;
    const bool again = co_await wakeup->wait(turn_max);
    if (!again) co_return too_many_checks();
  }
}

bool is_absent(const Error& error) {
  return error.code == Errc::manifest_unknown || error.code == Errc::blob_unknown ||
         error.code == Errc::name_unknown;
}

/// Who shows what for which image, and by what that is remembered.
struct Showing {
  AskedPtr asked;
  ImageName image;
  Shown shown;
  std::string key;
};
using ShowingPtr = std::shared_ptr<const Showing>;

/// What the upstream's word is remembered as; a wrong guess is counted where it came from.
void learn(PullShared& shared, const Showing& showing, const Result<bool>& answered, Turn& turn) {
  const auto& key = showing.key;
  if (answered) {
    shared.permits.grant(key, recheck_of(*shared.settings, showing.image.upstream));
    return;
  }
  const auto code = answered.error().code;
  // The same credentials, shown for several things at once, are one guess.
  const bool known = shared.permits.find(key) == Permits::Word::refused;
  if (code == Errc::denied) shared.permits.refuse(key);
  // Whoever asks so often that the upstream has enough keeps all others from it.
  if (turn && ((code == Errc::denied && !known) || code == Errc::upstream_busy)) turn->failed();
}

/// By one question for all who show the same for the same.
net::awaitable<Result<bool>> check_once(PullParts* parts, ShowingPtr showing) {
  auto& shared = *parts->shared;
  Turn turn;
  if (!showing->shown.nothing()) {
    auto taken = co_await take_turn(&shared, showing->asked->request->peer->address);
    if (!taken) co_return taken.error();
    if (*taken) turn.emplace(**std::move(taken));
  }
  const UnderWay under_way(shared.checks_under_way);
  if (!under_way.fits(checks_max)) co_return too_many_checks();
  const auto size = size_here(shared, showing->asked->route);
  const RegistryPtr registry = parts->upstreams->find_as(showing->image.upstream, showing->shown);
  const auto answered = co_await ask(registry, showing->image, showing->asked, size);
  learn(shared, *showing, answered, turn);
  co_return answered;
}

/// The upstream's word about these credentials, which nobody remembers yet.
net::awaitable<Result<void>> check(PullParts* parts, ShowingPtr showing) {
  auto& shared = *parts->shared;
  const auto& image = showing->image;
  const bool nothing = showing->shown.nothing();
  const auto& request = *showing->asked->request;
  if (!nothing && shared.attempts.exhausted(request.peer->address)) co_return too_many_failures();
  const SingleFlight<bool>::Work work = [parts, showing] { return check_once(parts, showing); };
  // What is not there says nothing about what else this client asks for at the same time.
  const std::string flight = showing->key + request.target;
  const auto answered = co_await shared.checks.run(flight, work, patience);
  if (answered) co_return Result<void>();
  auto error = answered.error();
  if (error.code == Errc::denied) co_return refused(image, nothing);
  // Registries hide from strangers what is not theirs.
  if (nothing && is_absent(error)) co_return refused(image, nothing);
  if (!is_absent(error) && error.code != Errc::overloaded) {
    error.message += "; unless it answers, nobody can say who may have " + image.str();
  }
  co_return error;
}

net::awaitable<Result<void>> admit_to(PullParts* parts, AskedPtr asked, ImageName image) {
  auto& shared = *parts->shared;
  if (!is_clients(shared, image)) co_return Result<void>();
  if (asked->request->entered) co_return behind_a_door(image);
  auto shown = read_authorization(asked->request->fields);
  if (!shown) co_return shown.error();
  // It was shown for the registry that the client named; a rule may lead to another.
  if (image.upstream != asked->named.upstream) *shown = Shown();
  auto key = shared.permits.key(image, *shown);
  // Who may list an image's tags may have no more of it.
  const bool lists = asked->route.kind == Kind::tags;
  if (lists && shared.permits.find(key) == Permits::Word::unknown) key += " tags";
  const auto word = shared.permits.find(key);
  if (word == Permits::Word::refused) co_return refused(image, shown->nothing());
  if (word == Permits::Word::unknown) {
    const auto showing = std::make_shared<const Showing>(Showing{asked, image, *shown, key});
    const auto checked = co_await check(parts, showing);
    if (!checked) co_return checked.error();
  }
  if (is_borrowed(*shared.settings, image) && !shown->nothing()) {
    Upstreams::Lender lender{.who = key,
                             .refused = [permits = &shared.permits, key] { permits->refuse(key); }};
    asked->account->holds.push_back(parts->upstreams->lend(image, *shown, std::move(lender)));
  }
  co_return Result<void>();
}

Result<void> check_lists(const PullShared& shared, const Asked& asked) {
  const auto& lists = shared.settings->access;
  if (lists.allow.empty() && lists.deny.empty()) return {};
  for (const auto* name : {&asked.named, &asked.image}) {
    const auto listed = check_listed(*shared.settings, *name);
    if (!listed) return listed.error();
  }
  for (const auto& source : sources_of(shared, asked)) {
    const auto listed = check_listed(*shared.settings, source.image);
    if (!listed) return listed.error();
  }
  return {};
}

/// Under the one name of two that the client may have.
AskedPtr narrowed(const Asked& asked, const ImageName& image) {
  auto made = std::make_shared<Asked>(asked);
  made->image_alone = true;
  if (image != asked.image) made->rewritten_by.clear();
  made->image = image;
  return made;
}

}  // namespace

Result<void> check_members(const PullShared& shared, const ImageName& name) {
  if (!may_ask_clients(*shared.settings)) return {};
  const auto members = shared.virtual_images.members_of(name);
  for (const auto& member : members) {
    if (member != name && is_clients(shared, member)) return made_of_clients(name, member);
  }
  if (!members.empty() && is_clients(shared, name)) return made_of_clients(name, name);
  return {};
}

net::awaitable<Result<AskedPtr>> admit(PullParts* parts, AskedPtr asked) {
  const auto& shared = *parts->shared;
  const auto listed = check_lists(shared, *asked);
  if (!listed) co_return listed.error();
  auto members = check_members(shared, asked->image);
  if (members) members = check_members(shared, asked->named);
  if (!members) co_return members.error();
  const auto image = co_await admit_to(parts, asked, asked->image);
  // A tag is looked for under the one name alone, a digest under both.
  const bool one_name = asked->named == asked->image || !digest_of(asked->route);
  if (one_name && !image) co_return image.error();
  if (one_name) co_return asked;
  const auto named = co_await admit_to(parts, asked, asked->named);
  if (image && named) co_return asked;
  if (image) co_return narrowed(*asked, asked->image);
  if (named) co_return narrowed(*asked, asked->named);
  co_return image.error();
}

Error needs_credentials() {
  return {.code = Errc::unauthorized,
          .message = "images of this archway are given to those who show credentials for them",
          .context = "ping"};
}

bool asks_for_credentials(const PullShared& shared, const Request& request) {
  if (request.entered || request.fields.contains("Authorization")) return false;
  const auto& settings = *shared.settings;
  const auto& names = shared.names;
  const auto host = request.fields.find("Host");
  const auto bare = host.substr(0, host.find(':'));
  for (const auto& entry : names.entries) {
    for (const auto& one : entry.hosts) {
      if (equal_without_case(one, bare)) return may_ask_clients(settings, entry.name);
    }
  }
  const bool docker = request.fields.find("User-Agent").starts_with("docker/");
  if (docker) return may_ask_clients(settings, names.default_name);
  return std::any_of(names.entries.begin(), names.entries.end(),
                     [&](const auto& entry) { return may_ask_clients(settings, entry.name); });
}

}  // namespace archway::proxy
