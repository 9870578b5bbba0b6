namespace Orleans.Streams;

/// <summary>Takes the events of a stream, one at a time, in order.</summary>
public interface IAsyncObserver<in T>
{
    /// <summary>The next event.</summary>
    Task OnNextAsync(T item, StreamSequenceToken? token = null);

    /// <summary>No more events come.</summary>
    Task OnCompletedAsync() => Task.CompletedTask;

    /// <summary>Something went wrong; events may follow. Too slow a subscriber gets a <c>StreamGapException</c> in place of the events it lost.</summary>
    Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
