using System.Text.Json;

namespace VoiceGrains.GrainRuntime.Streams;

internal enum StreamNoticeKind : byte
{
    Next,
    Completed,
    Error,

    /// <summary>Only says that something was lost.</summary>
    Gap,
}

/// <summary>Something for a subscriber. <see cref="Token"/> is null when the runtime says it, not a producer.</summary>
internal readonly record struct StreamNotice<T>(StreamNoticeKind Kind, StreamItem<T>? Item, Exception? Error, SequenceToken? Token, StreamLoss LostBefore)
{
    /// <summary>What is lost with it.</summary>
    public StreamLoss Weight => Token is null ? LostBefore : LostBefore + new StreamLoss(1);
}

/// <summary>Events that did not arrive.</summary>
/// <param name="Count">How many are known of.</param>
/// <param name="AtLeast">There may be more.</param>
internal readonly record struct StreamLoss(long Count, bool AtLeast = false)
{
    public bool IsNone => Count == 0 && !AtLeast;

    public static StreamLoss operator +(StreamLoss one, StreamLoss other) => new(one.Count + other.Count, one.AtLeast || other.AtLeast);
}

/// <summary>An event, made for each subscriber when it takes it.</summary>
internal abstract class StreamItem<T>
{
    public abstract T Take();
}

/// <summary>The same object for all subscribers.</summary>
internal sealed class SharedItem<T>(T item) : StreamItem<T>
{
    public override T Take() => item;
}

/// <summary>An object of its own for each subscriber.</summary>
internal sealed class JsonItem<T>(ReadOnlyMemory<byte> json, JsonSerializerOptions options) : StreamItem<T>
{
    public override T Take() => JsonSerializer.Deserialize<T>(json.Span, options)!;
}
