#include "proxy/admin/virtual_image.hpp"

#include "proxy/admin/image_name.hpp"
#include "proxy/admin/query.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

namespace archway::proxy {
namespace {

using Member = VirtualImage::Member;

Result<Member> read_member(const std::string& text, const resolver::UpstreamNames& names) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    return bad_parameter("member", "found " + shown(text) +
                                       "; allowed: PLATFORM=IMAGE such as "
                                       "linux/arm64=docker.io/me/app-arm64:1");
  }
  auto platform = Platform::parse(std::string_view(text).substr(0, equals));
  if (!platform) return bad_parameter("member", platform.error().message);
  auto named = read_known_image(std::string_view(text).substr(equals + 1), names);
  if (!named) return bad_parameter("member", named.error().message);
  return Member{.platform = *std::move(platform),
                .image = std::move(named->image),
                .reference = std::move(named->reference)};
}

/// True when a request for the member, as `owner` makes it, would be one for `image`.
bool means(const Member& member, const VirtualImage& owner, const VirtualImage& image) {
  if (member.image == owner.name || member.image != image.name) return false;
  auto asked = member.reference;
  if (!asked && owner.tag) asked = *owner.tag;
  if (!asked) return true;
  const auto* tag = std::get_if<Tag>(&*asked);
  return tag != nullptr && (!image.tag || *tag == *image.tag);
}

const Member* member_that_is(const VirtualImage& owner, const VirtualImage& image) {
  const auto found =
      std::find_if(owner.members.begin(), owner.members.end(),
                   [&](const Member& member) { return means(member, owner, image); });
  return found == owner.members.end() ? nullptr : &*found;
}

}  // namespace

Result<VirtualName> read_virtual_name(std::string_view text, const resolver::UpstreamNames& names) {
  auto named = read_known_image(text, names);
  if (!named) return std::move(named).error();
  VirtualName result{.name = std::move(named->image)};
  if (!named->reference) return result;
  if (auto* tag = std::get_if<Tag>(&*named->reference)) {
    result.tag = std::move(*tag);
    return result;
  }
  return Error{.code = Errc::name_invalid,
               .message = shown(text) +
                          " has a digest; a virtual image is named NAME or NAME:TAG, and its "
                          "digest follows from its members"};
}

Result<std::vector<Member>> read_members(const std::vector<std::string>& texts,
                                         const resolver::UpstreamNames& names) {
  if (texts.empty() || texts.size() > virtual_members_max) {
    return bad_parameter("member",
                         "it is there " + std::to_string(texts.size()) + " times; allowed: 1 to " +
                             std::to_string(virtual_members_max) + ", each PLATFORM=IMAGE");
  }
  std::vector<Member> members;
  for (const auto& text : texts) {
    auto member = read_member(text, names);
    if (!member) return std::move(member).error();
    const bool again = std::any_of(members.begin(), members.end(), [&](const Member& other) {
      return other.platform == member->platform;
    });
    if (again) {
      return bad_parameter(
          "member", "found " + member->platform.str() + " twice; allowed: each platform once");
    }
    members.push_back(*std::move(member));
  }
  return members;
}

std::string why_nested(const VirtualImage& image, const std::vector<VirtualImage>& others) {
  for (const auto& other : others) {
    if (const auto* member = member_that_is(image, other)) {
      return "the member " + place_of(*member) + " is a virtual image itself (" + other.str() +
             "); allowed: an image as its upstream has it";
    }
    if (member_that_is(other, image)) {
      return image.str() + " is a member of the virtual image " + other.str() +
             "; what is a member cannot be virtual itself";
    }
  }
  return "";
}

std::string place_of(const Member& member) {
  return NamedImage{.image = member.image, .reference = member.reference}.str();
}

boost::json::value virtual_image_json(const VirtualImage& image, bool configured) {
  boost::json::array members;
  for (const auto& member : image.members) {
    members.push_back(
        boost::json::object{{"platform", member.platform.str()}, {"image", place_of(member)}});
  }
  boost::json::object document{{"name", image.name.str()},
                               {"tag", nullptr},
                               {"configured", configured},
                               {"members", std::move(members)}};
  if (image.tag) document["tag"] = image.tag->str();
  return document;
}

}  // namespace archway::proxy
