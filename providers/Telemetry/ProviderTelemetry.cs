using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace VoiceGrains.Providers.Telemetry;

/// <summary>What every provider is measured by, so that one name and one set of tags serves them all.</summary>
/// <remarks>Tags: <c>provider</c>, <c>kind</c> (<c>language</c>, <c>recognition</c>, <c>synthesis</c>), on errors also <c>fault</c>.</remarks>
public sealed class ProviderTelemetry
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string SourceName = "VoiceGrains.Providers";

    private static readonly ActivitySource Source = new(SourceName);

    private readonly Counter<long> _requests;
    private readonly Counter<long> _errors;
    private readonly Histogram<double> _firstOutput;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _dropped;
    private readonly TimeProvider _clock;

    public ProviderTelemetry(IMeterFactory meters, TimeProvider clock)
    {
        _clock = clock;
        var meter = meters.Create(SourceName);
        _requests = meter.CreateCounter<long>("voicegrains.provider.requests", "{request}", "Requests to a provider, failed ones included.");
        _errors = meter.CreateCounter<long>("voicegrains.provider.errors", "{error}", "Requests that failed, by fault; cancelled ones are not errors.");
        _dropped = meter.CreateCounter<long>("voicegrains.provider.dropped_samples", "{sample}", "16 kHz samples of a user's turn past the recognizer's bound.");
        _firstOutput = meter.CreateHistogram<double>("voicegrains.provider.first_output", "s", "From the request to the first word, tool call or sound.");
        _duration = meter.CreateHistogram<double>("voicegrains.provider.duration", "s", "From the request to its end.");
    }

    /// <summary>A recognizer's buffer was full.</summary>
    internal void SoundDropped(string provider, int samples) => _dropped.Add(samples, new TagList { { "provider", provider } });

    internal Measurement Begin(string kind, string provider) => new(this, kind, provider);

    /// <summary>One request. Dispose ends it.</summary>
    internal sealed class Measurement : IDisposable
    {
        private readonly ProviderTelemetry _owner;
        private readonly TagList _tags;
        private readonly Activity? _activity;
        private readonly long _began;
        private bool _hasOutput;

        public Measurement(ProviderTelemetry owner, string kind, string provider)
        {
            _owner = owner;
            _tags = new TagList { { "provider", provider }, { "kind", kind } };
            _activity = Source.StartActivity($"{kind} {provider}", ActivityKind.Client);
            _activity?.SetTag("provider", provider);
            _began = owner._clock.GetTimestamp();
            owner._requests.Add(1, _tags);
        }

        /// <summary>The first output came; later calls do nothing.</summary>
        public void Output()
        {
            if (_hasOutput) return;
            _hasOutput = true;
            _owner._firstOutput.Record(_owner._clock.GetElapsedTime(_began).TotalSeconds, _tags);
            _activity?.AddEvent(new("first output"));
        }

        public void Tokens(int input, int output)
        {
            _activity?.SetTag("gen_ai.usage.input_tokens", input);
            _activity?.SetTag("gen_ai.usage.output_tokens", output);
        }

        public void Failed(Exception exception)
        {
            if (exception is OperationCanceledException) return;
            var fault = exception is ProviderException known ? known.Fault.ToString() : "Unexpected";
            var tags = _tags;
            tags.Add("fault", fault);
            _owner._errors.Add(1, tags);
            _activity?.SetStatus(ActivityStatusCode.Error, fault);
        }

        public void Dispose()
        {
            _owner._duration.Record(_owner._clock.GetElapsedTime(_began).TotalSeconds, _tags);
            _activity?.Dispose();
        }
    }
}
