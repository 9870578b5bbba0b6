namespace Orleans.Core;

/// <summary>A stored value without its type.</summary>
public interface IStorage
{
    /// <summary>Version of the stored value; <see langword="null"/> when none is stored.</summary>
    string? Etag { get; }

    /// <summary>Whether a value is stored.</summary>
    bool RecordExists { get; }

    /// <inheritdoc cref="ClearStateAsync(CancellationToken)"/>
    Task ClearStateAsync();

    /// <inheritdoc cref="WriteStateAsync(CancellationToken)"/>
    Task WriteStateAsync();

    /// <inheritdoc cref="ReadStateAsync(CancellationToken)"/>
    Task ReadStateAsync();

    /// <summary>Deletes the stored value and resets the one in memory.</summary>
    /// <exception cref="global::Orleans.Storage.InconsistentStateException">Another writer was first.</exception>
    Task ClearStateAsync(CancellationToken cancellationToken) => ClearStateAsync();

    /// <summary>Stores the value in memory.</summary>
    /// <exception cref="global::Orleans.Storage.InconsistentStateException">Another writer was first.</exception>
    Task WriteStateAsync(CancellationToken cancellationToken) => WriteStateAsync();

    /// <summary>Replaces the value in memory by the stored one.</summary>
    Task ReadStateAsync(CancellationToken cancellationToken) => ReadStateAsync();
}

/// <summary>A stored value.</summary>
public interface IStorage<TState> : IStorage
{
    /// <summary>The value in memory. Never <see langword="null"/>: a new one when nothing is stored.</summary>
    TState State { get; set; }
}
