using Microsoft.Extensions.Logging;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Keeps what is logged.</summary>
internal sealed class KeptLog : ILogger
{
    private readonly List<(string Message, Exception? Exception)> _entries = [];

    public IReadOnlyList<(string Message, Exception? Exception)> Entries
    {
        get
        {
            lock (_entries)
                return [.. _entries];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries)
            _entries.Add((formatter(state, exception), exception));
    }
}
