using System.Text.Json;
using VoiceGrains.GrainRuntime.RabbitMq;

namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>Makes bodies of what a producer says, and reads them. An event itself stays JSON until a subscriber takes it.</summary>
internal sealed class StreamCodec(JsonSerializerOptions json, WireExceptions exceptions)
{
    public JsonSerializerOptions Json => json;

    /// <exception cref="NotSupportedException">The event cannot be written.</exception>
    public ReadOnlyMemory<byte> Write<T>(StreamNoticeKind kind, T? item, Exception? error) => kind switch
    {
        StreamNoticeKind.Next => JsonSerializer.SerializeToUtf8Bytes(item, json),
        StreamNoticeKind.Error => Write(error!),
        _ => ReadOnlyMemory<byte>.Empty,
    };

    /// <param name="body">Copied where it is needed.</param>
    public StreamArrival Read(StreamMessageInfo info, ReadOnlySpan<byte> body) => info.Type switch
    {
        StreamWire.Next => new(StreamNoticeKind.Next, info.Source, info.Number, false, body.ToArray()),
        StreamWire.Completed => new(StreamNoticeKind.Completed, info.Source, info.Number, true),
        StreamWire.Error => new(StreamNoticeKind.Error, info.Source, info.Number, false, Error: ReadError(body)),
        _ => new(null, info.Source, info.Number, info.Type == StreamWire.Done),
    };

    public static string TypeOf(StreamNoticeKind kind) => kind switch
    {
        StreamNoticeKind.Completed => StreamWire.Completed,
        StreamNoticeKind.Error => StreamWire.Error,
        _ => StreamWire.Next,
    };

    private ReadOnlyMemory<byte> Write(Exception error)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            WireExceptions.Write(writer, error, json);
        return stream.ToArray();
    }

    private Exception ReadError(ReadOnlySpan<byte> error)
    {
        try
        {
            return exceptions.Read(error, json);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new RemoteGrainException("unknown", "The error cannot be read.");
        }
    }
}
