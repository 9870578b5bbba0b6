using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>How a client comes in: the query of <c>/rtc</c> (plain parameters) or <c>/rtc/v1</c> (one <c>join_request</c>), as one.</summary>
internal sealed record RoomJoin
{
    /// <summary>Beyond this a compressed request is refused, bytes: an offer with all of a browser's video codecs is about 25 KB.</summary>
    private const int LongestRequest = 256 * 1024;
    private const int LongestEncoded = 64 * 1024;
    private static readonly MessageParser<WrappedJoinRequest> Wrappers = WrappedJoinRequest.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<JoinRequest> Joins = JoinRequest.Parser.WithDiscardUnknownFields(true);

    /// <summary>Such as <c>livekit_js_2.16.1</c>; null where the client does not say.</summary>
    public string? ClientVersion { get; init; }

    /// <summary>Goes on with the participant <see cref="ParticipantSid"/> whose signalling was lost.</summary>
    public bool IsReconnect { get; init; }

    public string ParticipantSid { get; init; } = "";

    /// <summary>Whether the client gets the agent's track without asking for it. Default true.</summary>
    public bool AutoSubscribe { get; init; } = true;

    /// <summary>Comes with the request, or later as a message.</summary>
    public SessionDescription? Offer { get; init; }

    public SyncState? SyncState { get; init; }

    public string? Metadata { get; init; }

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <param name="query">From anybody.</param>
    /// <param name="join">What it asks for.</param>
    /// <param name="error">What is wrong with it otherwise.</param>
    public static bool TryRead(IQueryCollection query, out RoomJoin join, out string? error)
    {
        error = null;
        if (query["join_request"] is [{ Length: > 0 } encoded, ..]) return TryRead(encoded, out join, out error);
        join = new RoomJoin
        {
            ClientVersion = Version(query["sdk"].ToString(), query["version"].ToString()),
            IsReconnect = query["reconnect"] is ["1" or "true", ..],
            ParticipantSid = query["sid"].ToString(),
            AutoSubscribe = query["auto_subscribe"] is not ["0" or "false", ..],
        };
        return true;
    }

    private static bool TryRead(string encoded, out RoomJoin join, out string? error)
    {
        join = new RoomJoin();
        error = "join_request is no base64.";
        if (encoded.Length > LongestEncoded || Decode(encoded) is not { } bytes) return false;
        error = "join_request is malformed.";
        if (!UntrustedMessage.TryParse(Wrappers, bytes, out var wrapper) || Unpack(wrapper) is not { } inner || !UntrustedMessage.TryParse(Joins, inner.Span, out var request)) return false;
        join = From(request);
        error = RoomParticipant.Length(join.Metadata ?? "", join.Attributes) > RoomParticipant.LongestMetadata ? $"Metadata and attributes are at most {RoomParticipant.LongestMetadata} characters." : null;
        return error is null;
    }

    private static ReadOnlyMemory<byte>? Unpack(WrappedJoinRequest wrapper) => wrapper.Compression switch
    {
        WrappedJoinRequest.Types.Compression.None => wrapper.JoinRequest.Memory,
        WrappedJoinRequest.Types.Compression.Gzip => Inflate(wrapper.JoinRequest.Memory) is { } inflated ? inflated : (ReadOnlyMemory<byte>?)null,
        _ => null,
    };

    private static RoomJoin From(JoinRequest request) => new()
    {
        ClientVersion = request.ClientInfo is { } client ? Version(client.Sdk == 1 ? "js" : $"sdk{client.Sdk}", client.Version) : null,
        IsReconnect = request.Reconnect,
        ParticipantSid = request.ParticipantSid,
        AutoSubscribe = request.ConnectionSettings?.AutoSubscribe ?? true,
        Offer = request.PublisherOffer is { Sdp.Length: > 0 } offer ? offer : null,
        SyncState = request.SyncState,
        Metadata = request.Metadata.Length > 0 ? request.Metadata : null,
        Attributes = new Dictionary<string, string>(request.ParticipantAttributes),
    };

    private static string? Version(string sdk, string version)
    {
        if (sdk.Length == 0 && version.Length == 0) return null;
        var text = new StringBuilder("livekit_");
        foreach (var c in $"{sdk}_{version}".AsSpan())
        {
            if (text.Length < 60 && (char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')) text.Append(c);
        }
        return text.ToString();
    }

    /// <summary>Both alphabets of base64, with or without padding: clients differ.</summary>
    private static byte[]? Decode(string text)
    {
        var standard = text.Replace('-', '+').Replace('_', '/').Replace(' ', '+').TrimEnd('=');
        standard = standard.PadRight((standard.Length + 3) / 4 * 4, '=');
        var bytes = new byte[standard.Length / 4 * 3];
        return Convert.TryFromBase64String(standard, bytes, out var length) ? bytes[..length] : null;
    }

    /// <summary>Null: it is not packed, or would be longer than any request. Nothing beyond that is unpacked.</summary>
    private static byte[]? Inflate(ReadOnlyMemory<byte> packed)
    {
        using var gzip = new GZipStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var part = new byte[8 * 1024];
        try
        {
            while (gzip.Read(part) is > 0 and var read)
            {
                if (plain.Length + read > LongestRequest) return null;
                plain.Write(part, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return null;
        }
        return plain.ToArray();
    }
}
