#include "proxy/config/sections.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using resolver::UpstreamNames;

constexpr std::size_t images_max = 1024;
constexpr std::string_view form =
    "a mapping such as {docker.io/me/app: {linux/arm64: docker.io/me/app-arm64}}";
constexpr std::string_view members_form =
    "a mapping of platforms to images such as {linux/arm64: docker.io/me/app-arm64}";

/// An image as it stands here: its name in full, and what of it.
struct Named {
  ImageName image;
  std::optional<Reference> reference = {};
};

/// A member with the place of its image's name.
struct Member {
  Value value;
  VirtualImage::Member what;
};

/// A member of the virtual image at `owner`, for what is found wrong between images.
struct Placed {
  Member member;
  std::size_t owner;
};

/// What a resolver's function gives, or its message as a problem.
template <class T>
std::optional<T> taken(Result<T> result, const Value& value) {
  if (result) return *std::move(result);
  value.problem(result.error().message);
  return std::nullopt;
}

/// Reads `upstream/repository`, `…:tag` or `…@digest`; with tag and digest the digest counts. What
/// names no upstream is the default one's, as in a client's request.
std::optional<Named> read_image(const Value& value, const UpstreamNames& names) {
  const auto written = value.text("an image such as docker.io/me/app or docker.io/me/app:1");
  if (!written) return std::nullopt;
  const std::string_view text = *written;
  const auto at = text.find('@');
  std::string_view name = text.substr(0, at);
  std::optional<Reference> reference;
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
    auto tag = taken(Tag::parse(name.substr(colon + 1)), value);
    if (!tag) return std::nullopt;
    reference = *std::move(tag);
    name = name.substr(0, colon);
  }
  if (at != std::string_view::npos) {
    const auto digest = taken(Digest::parse(text.substr(at + 1)), value);
    if (!digest) return std::nullopt;
    reference = *digest;
  }
  const resolver::Route route{.kind = resolver::Route::Kind::manifest, .name = std::string(name)};
  auto image = taken(resolver::upstream_of(route, "", names), value);
  if (!image) return std::nullopt;
  return Named{.image = *std::move(image), .reference = std::move(reference)};
}

std::vector<Member> read_members(const Value& value, const UpstreamNames& names) {
  std::vector<Member> members;
  for (const auto& [key, item] : value.pairs(members_form, virtual_members_max)) {
    auto platform = read_platform(key);
    auto named = read_image(item, names);
    if (!platform || !named) continue;
    const auto same = [&](const Member& member) { return member.what.platform == *platform; };
    if (std::any_of(members.begin(), members.end(), same)) {
      key.problem("found " + platform->str() + " a second time");
      continue;
    }
    VirtualImage::Member what{.platform = *std::move(platform),
                              .image = std::move(named->image),
                              .reference = std::move(named->reference)};
    members.push_back({item, std::move(what)});
  }
  if (value.node().kind == Yaml::Kind::mapping && value.node().items.empty()) {
    value.problem("found an empty mapping; allowed: at least one platform");
  }
  return members;
}

/// The name of a virtual image: with a tag, or for every tag.
std::optional<VirtualImage> read_name(const Value& key, const UpstreamNames& names) {
  auto named = read_image(key, names);
  if (!named) return std::nullopt;
  VirtualImage image{.name = std::move(named->image), .members = {}};
  if (!named->reference) return image;
  if (auto* tag = std::get_if<Tag>(&*named->reference)) {
    image.tag = std::move(*tag);
    return image;
  }
  key.problem("found " + quoted_for_message(key.node().text) +
              "; a name that archway makes an index for has no digest: its own follows from its "
              "members");
  return std::nullopt;
}

void read_virtual(const Value& key, const Value& item, const UpstreamNames& names,
                  std::vector<VirtualImage>& images, std::vector<Placed>& placed) {
  auto image = read_name(key, names);
  // Without a usable name the members are read all the same, for what is wrong with them.
  auto members = read_members(item, names);
  if (!image) return;
  const auto same = [&](const VirtualImage& other) {
    return other.name == image->name && other.tag == image->tag;
  };
  if (std::any_of(images.begin(), images.end(), same)) {
    key.problem("found " + image->str() + " a second time");
    return;
  }
  for (Member& member : members) {
    image->members.push_back(member.what);
    placed.push_back({std::move(member), images.size()});
  }
  images.push_back(*std::move(image));
}

/// True when a request for the member, as `owner` makes it, would be one for `image`.
bool means(const VirtualImage::Member& member, const VirtualImage& owner,
           const VirtualImage& image) {
  if (member.image != image.name) return false;
  std::optional<Reference> asked = member.reference;
  if (!asked && owner.tag) asked = *owner.tag;
  if (!asked) return true;
  const auto* tag = std::get_if<Tag>(&*asked);
  return tag != nullptr && (!image.tag || *tag == *image.tag);
}

/// Members are fetched from their upstreams: what has an index here only cannot be one. A name may
/// stand for itself, though: it is published there, too.
void check_members(const std::vector<VirtualImage>& images, const std::vector<Placed>& placed) {
  for (const auto& [member, owner_at] : placed) {
    const VirtualImage& owner = images[owner_at];
    if (member.what.image == owner.name) continue;
    const auto other = std::find_if(
        images.begin(), images.end(),
        [&, &what = member.what](const auto& image) { return means(what, owner, image); });
    if (other == images.end()) continue;
    member.value.problem("found " + other->str() +
                         ", which has members itself; allowed: an image as its upstream has it");
  }
}

}  // namespace

void read_images(const Section& file, Settings& settings) {
  const auto value = file.find("images");
  if (!value) return;
  const UpstreamNames names = upstream_names(settings);
  std::vector<Placed> placed;
  for (const auto& [key, item] : value->pairs(form, images_max)) {
    read_virtual(key, item, names, settings.images, placed);
  }
  check_members(settings.images, placed);
}

}  // namespace archway::proxy
