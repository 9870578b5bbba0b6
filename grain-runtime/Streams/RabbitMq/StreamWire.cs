using RabbitMQ.Client;
using VoiceGrains.GrainRuntime.RabbitMq;

namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>
/// The messages of streams, on a direct exchange of their own. The stream's key routes events to the processes that have subscribers, and
/// <c>?key</c> routes their questions to the processes that produce. AMQP properties say what a message is; the body is an event as JSON.
/// </summary>
internal static class StreamWire
{
    /// <summary>Raised when older processes could misread a message. Messages of another version are left unread.</summary>
    public const int Version = 1;

    /// <summary>Values of the AMQP property <c>type</c>: numbered, from producer to subscribers.</summary>
    public const string Next = "next", Completed = "completed", Error = "error";

    /// <summary>The producer says what number its next event will have; or that it is done and there is none.</summary>
    public const string Mark = "mark", Done = "done";

    /// <summary>A subscriber asks who produces.</summary>
    public const string Question = "question";

    private const string VersionHeader = "v", EventHeader = "event", IncarnationHeader = "incarnation", NumberHeader = "number";

    public static string QuestionKey(string key) => $"?{key}";

    public static BasicProperties Properties(string type, StreamAddress address, StreamSource source, long number) => new()
    {
        Type = type,
        AppId = source.Process,
        Headers = new Dictionary<string, object?>
        {
            [VersionHeader] = Version, [EventHeader] = address.Event, [IncarnationHeader] = source.Incarnation, [NumberHeader] = number,
        },
    };

    /// <summary>What the properties say; null when they are not ours, or of another version.</summary>
    public static StreamMessageInfo? Read(IReadOnlyBasicProperties properties, string routingKey) =>
        properties is { Type: { } type, AppId: { } process } && properties.Number(VersionHeader) == Version && properties.Text(EventHeader) is { } name
        && Long(properties, IncarnationHeader) is { } incarnation && Long(properties, NumberHeader) is { } number
            ? new(type, new(routingKey.TrimStart('?'), name), new(process, incarnation), number)
            : null;

    private static long? Long(IReadOnlyBasicProperties properties, string header) =>
        properties.Headers is { } headers && headers.TryGetValue(header, out var value) && value is long number ? number : null;
}

internal readonly record struct StreamMessageInfo(string Type, StreamAddress Address, StreamSource Source, long Number);

/// <summary>A message to be sent.</summary>
/// <param name="Mandatory">To be told when no process has the routing key.</param>
internal readonly record struct StreamMessage(string RoutingKey, BasicProperties Properties, ReadOnlyMemory<byte> Body, bool Mandatory);
