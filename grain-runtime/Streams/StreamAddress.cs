using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>One stream: streams of one id with other event types are others.</summary>
/// <param name="Key">The stream id as a routing key, unambiguous and short enough for AMQP.</param>
/// <param name="Event">Full name of the event type.</param>
internal sealed record StreamAddress(string Key, string Event)
{
    // AMQP allows 255 bytes, and a mark goes before it; long ids are told apart by their hash.
    private const int LongestKey = 200;

    public static StreamAddress Of<T>(StreamId id)
    {
        // Of the namespace nothing can be mistaken for the separator.
        var key = $"{Uri.EscapeDataString(id.GetNamespace() ?? "")}/{id.GetKeyAsString()}";
        return new(
            Encoding.UTF8.GetByteCount(key) <= LongestKey ? key : $"#{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}",
            typeof(T).FullName ?? typeof(T).Name);
    }
}
