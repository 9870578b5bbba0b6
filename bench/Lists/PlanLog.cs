using Microsoft.Extensions.Logging;
using Npgsql;

namespace VoiceGrains.Bench.Lists;

/// <summary>Plans of the statements that the server's own code sends, with the times of each node: PostgreSQL's <c>auto_explain</c> tells them as notices.</summary>
internal sealed class PlanLog : ILoggerFactory, ILogger
{
    private const string Explain = "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on -c client_min_messages=log";
    private readonly List<string> plans = [];

    public NpgsqlDataSource Connect(string connection)
        => new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(connection) { Options = Explain }.ConnectionString).UseLoggerFactory(this).Build();

    public void Print()
    {
        lock (plans)
        {
            foreach (var plan in plans) Console.WriteLine($"\n```\n{plan}\n```");
            plans.Clear();
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = formatter(state, exception);
        lock (plans)
            if (text.Contains("plan:\n", StringComparison.Ordinal)) plans.Add(text);
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // holds nothing
    }
}
