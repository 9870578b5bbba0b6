using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RabbitMQ.Client;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>
/// The messages between processes. All go through one direct exchange: <c>type/key</c> routes to the silo that has the grain, <c>@id</c> to
/// one process. AMQP properties say what a message is; the body is JSON.
/// </summary>
internal static class WireProtocol
{
    /// <summary>Raised when an older silo could misread a message. A request of another version is refused, with both versions named.</summary>
    public const int Version = 1;

    /// <summary>Values of the AMQP property <c>type</c>.</summary>
    public const string Request = "request";

    /// <inheritdoc cref="Request"/>
    public const string Result = "result";

    /// <inheritdoc cref="Request"/>
    public const string Cancel = "cancel";

    /// <summary>Headers.</summary>
    public const string VersionHeader = "v", GrainType = "grain-type", GrainKey = "grain-key", Method = "method", Activate = "activate",
        TraceParent = "traceparent", TraceState = "tracestate", Status = "status", Owner = "owner", Reason = "reason";

    /// <summary>Values of the header <see cref="Status"/>: the body is the result, or an exception.</summary>
    public const string Ok = "ok", Failed = "failed";

    /// <summary>The silo did not take the request: the grain is at <see cref="Owner"/>, is not here, or may not be activated here. Nothing was done.</summary>
    public const string Elsewhere = "elsewhere", Inactive = "inactive", Refused = "refused";

    private const string FullReason = "full: ";

    /// <summary>The <see cref="Reason"/> of a silo that has no room.</summary>
    public static string Full(int activations) => string.Create(CultureInfo.InvariantCulture, $"{FullReason}{activations} activations");

    public static bool IsForRoom(string? reason) => reason?.StartsWith(FullReason, StringComparison.Ordinal) == true;

    // AMQP allows 255 bytes; long keys are told apart by their hash.
    private const int LongestRoutingKey = 200;

    public static string RoutingKey(GrainId grain)
    {
        var name = grain.ToString();
        return Encoding.UTF8.GetByteCount(name) <= LongestRoutingKey
            ? name
            : $"{grain.Type}#{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";
    }

    public static string Address(string process) => $"@{process}";

    /// <summary>A header's text; <see langword="null"/> when it is absent or not text.</summary>
    public static string? Text(this IReadOnlyBasicProperties properties, string header) =>
        properties.Headers is { } headers && headers.TryGetValue(header, out var value)
            ? value switch { byte[] bytes => Encoding.UTF8.GetString(bytes), string text => text, _ => null }
            : null;

    public static int? Number(this IReadOnlyBasicProperties properties, string header) =>
        properties.Headers is { } headers && headers.TryGetValue(header, out var value) && value is int number ? number : null;
}

/// <summary>A message to be sent.</summary>
internal sealed record WireMessage(string RoutingKey, BasicProperties Properties, ReadOnlyMemory<byte> Body)
{
    /// <summary>To be told when nobody has this routing key.</summary>
    public bool Mandatory { get; init; }

    /// <summary>To a queue by its name instead of through the exchange.</summary>
    public bool ToQueue { get; init; }

    /// <summary>The request that it carries: not sent once that has its outcome, and told when it is.</summary>
    public PendingRequest? Pending { get; init; }
}
