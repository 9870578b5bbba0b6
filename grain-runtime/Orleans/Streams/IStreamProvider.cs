using Orleans.Runtime;

namespace Orleans.Streams;

/// <summary>Gives access to streams. Registered under its name as a keyed service.</summary>
public interface IStreamProvider
{
    string Name { get; }

    /// <summary>Whether a subscriber can start in the past: not here.</summary>
    bool IsRewindable { get; }

    /// <summary>The stream of that name and event type.</summary>
    IAsyncStream<T> GetStream<T>(StreamId streamId);
}
