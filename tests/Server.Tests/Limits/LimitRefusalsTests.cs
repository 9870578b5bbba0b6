using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Limits;

public sealed class LimitRefusalsTests
{
    [Fact]
    public void EachRefusalIsCounted_AndTheFirstOfAMinuteIsLogged()
    {
        var (clock, log, counted) = (new ManualClock(), new Lines(), new List<string>());
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var refusals = new LimitRefusals(meters, clock, log);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name == "voicegrains.limits.refusals" && instrument.Meter.Scope == meters) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => counted.Add($"{value} {tags[0].Value}"));
        listener.Start();

        refusals.Count(LimitName.CallRate, "account a");
        refusals.Count(LimitName.CallRate, "account a");
        refusals.Count(LimitName.ConcurrentCalls, "account a");
        refusals.Count(LimitName.CallRate, "account b");
        clock.Advance(TimeSpan.FromMinutes(1));
        refusals.Count(LimitName.CallRate, "account a");

        Assert.Equal(["1 call_rate", "1 call_rate", "1 concurrent_calls", "1 call_rate", "1 call_rate"], counted);
        Assert.Equal(["CallRate account a", "ConcurrentCalls account a", "CallRate account b", "CallRate account a"], log);
    }

    /// <summary>What the log's lines are about, without their wording.</summary>
    private sealed class Lines : List<string>, ILogger<LimitRefusals>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = (IReadOnlyList<KeyValuePair<string, object?>>)state!;
            Add($"{values[0].Value} {values[1].Value}");
        }
    }
}
