using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.GrainRuntime.Tests;

/// <summary>Keeps what is logged, exceptions included.</summary>
internal sealed class LogKeeper : ILogger, ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public Task ExpectAsync(string part) => RuntimeHost.EventuallyAsync(() => _lines.Any(line => line.Contains(part, StringComparison.Ordinal)), $"'{part}' is logged");

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
