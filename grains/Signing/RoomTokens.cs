using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Signing;

/// <summary>
/// Access tokens of rooms in LiveKit's form: HS256, the grants under <c>video</c>, the identity as <c>sub</c>. Gateways issue them and silos check them with a key
/// that both derive from the installation's secret. Safe for concurrent use.
/// </summary>
public sealed class RoomTokens(SecretKey secret, TimeProvider clock)
{
    private const string Issuer = "voicegrains";
    private readonly byte[] _key = DerivedKey.For(secret, "room token");

    /// <param name="grant">What it allows.</param>
    /// <param name="lifetime">From now. A client joins, resumes and reconnects with the token, so it should outlive the call.</param>
    public string Create(RoomGrant grant, TimeSpan lifetime)
    {
        var now = clock.GetUtcNow();
        var video = new JsonObject
        {
            ["roomJoin"] = true, ["room"] = grant.Room,
            ["canPublish"] = grant.CanPublish, ["canSubscribe"] = grant.CanSubscribe, ["canPublishData"] = grant.CanPublishData,
        };
        if (grant.CanPublishSources.Count > 0) video["canPublishSources"] = new JsonArray([.. grant.CanPublishSources.Select(static source => JsonValue.Create(source))]);
        if (grant.Hidden) video["hidden"] = true;
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["sub"] = grant.Identity,
            ["iat"] = now.ToUnixTimeSeconds(), ["nbf"] = now.ToUnixTimeSeconds(), ["exp"] = (now + lifetime).ToUnixTimeSeconds(),
            ["video"] = video,
        };
        if (grant.Name is { } name) claims["name"] = name;
        if (grant.Metadata is { } metadata) claims["metadata"] = metadata;
        if (grant.JoinToken is { } join) claims["join"] = join;
        return JsonWebToken.Create(claims, _key);
    }

    /// <summary>Never throws, whatever the text. The caller compares <see cref="RoomGrant.Room"/> with the room that is asked for.</summary>
    /// <param name="token">From anybody.</param>
    /// <param name="grant">Of a token of ours that holds now and may join a room.</param>
    /// <param name="fault">Why it does not hold; safe to tell.</param>
    public bool TryVerify(string token, [NotNullWhen(true)] out RoomGrant? grant, out TokenFault fault)
    {
        grant = null;
        if (!JsonWebToken.TryVerify(token, _key, clock.GetUtcNow(), out var claims, out fault)) return false;
        fault = TokenFault.Malformed;
        if (JsonWebToken.Text(claims, "iss") != Issuer || JsonWebToken.Text(claims, "sub") is not { Length: > 0 } identity) return false;
        if (claims["video"] is not JsonObject video || !Flag(video, "roomJoin", false) || JsonWebToken.Text(video, "room") is not { Length: > 0 } room) return false;
        if (!TryReadSources(video, out var sources)) return false;
        fault = TokenFault.None;
        grant = new RoomGrant(room, identity)
        {
            JoinToken = JsonWebToken.Text(claims, "join"),
            Name = JsonWebToken.Text(claims, "name"),
            Metadata = JsonWebToken.Text(claims, "metadata"),
            CanPublish = Flag(video, "canPublish", true),
            CanPublishSources = sources,
            CanSubscribe = Flag(video, "canSubscribe", true),
            CanPublishData = Flag(video, "canPublishData", true),
            Hidden = Flag(video, "hidden", false),
        };
        return true;
    }

    /// <summary>None is all of them, so that what cannot be read must not be taken for none.</summary>
    private static bool TryReadSources(JsonObject video, out IReadOnlyList<string> sources)
    {
        sources = [];
        if (video["canPublishSources"] is not { } given) return true;
        if (given is not JsonArray list || !list.All(static source => source is JsonValue value && value.TryGetValue<string>(out _))) return false;
        sources = [.. list.Select(static source => source!.GetValue<string>())];
        return true;
    }

    /// <summary>A grant that is no boolean grants nothing.</summary>
    private static bool Flag(JsonObject video, string name, bool absent)
        => video[name] is null ? absent : video[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;
}
