using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Media;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>A conversation on a fake clock: the test says what the user does and lets time pass; everything runs on its thread.</summary>
internal sealed class ConversationHarness : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private readonly PumpScheduler _pump = new();
    private readonly Pacer _pacer;
    private Conversation? _conversation;
    private Task<CallOutcome>? _run;
    private readonly Queue<short> _speech = new();

    public ConversationHarness(int inputRateHz = 16_000, int outputRateHz = 16_000, int bufferMs = 60, TimeSpan? wordDuration = null)
    {
        Clock = new ManualClock();
        FarEnd = new FarEnd(inputRateHz, outputRateHz, TimeSpan.FromMilliseconds(bufferMs), Clock);
        Model = new TestModel(Clock);
        Synthesizer = new WordSynthesizer(wordDuration ?? TimeSpan.FromMilliseconds(300), Clock);
        _pacer = new Pacer(new PacerOptions { Threads = 0 }, Clock, NullLogger<Pacer>.Instance);
    }

    public ManualClock Clock { get; }
    public FarEnd FarEnd { get; }
    public TestModel Model { get; }
    public TestRecognizer Recognizer { get; } = new();
    /// <summary>Stands between the conversation and the far end; null: nothing does.</summary>
    public IMediaPort? Port { get; set; }
    /// <summary>Hears instead of <see cref="Recognizer"/>.</summary>
    public IRecognizer? Ears { get; set; }
    public bool HasRecognizer { get; set; } = true;
    public WordSynthesizer Synthesizer { get; }
    /// <summary>Speaks instead of <see cref="Synthesizer"/>.</summary>
    public ISynthesizer? Voice { get; set; }
    public ISynthesizer? Fallback { get; set; }
    public MemoryJournal Journal { get; } = new();
    public TestTools Tools { get; } = new();
    public ConversationOptions Options { get; } = new();
    public StereoRecorder? Recorder { get; set; }

    /// <summary>The user's microphone is on: silence flows when they say nothing.</summary>
    public bool MicrophoneOn { get; set; } = true;

    public CallSettings Settings { get; set; } = new()
    {
        CallId = "c0ffee00-0000-4000-8000-000000000001",
        AccountId = "acc",
        Created = DateTimeOffset.UnixEpoch,
        Medium = new CallMedium { ServerWebSocket = new WebSocketMedium { InputSampleRate = 16_000, DataMessages = new EnabledDataMessages { CallEvent = true, UserStartedSpeaking = true, UserStoppedSpeaking = true, ToolUsed = true, InvokingTool = true } } },
        FirstSpeaker = new FirstSpeakerSettings { User = new UserGreeting() },
        FirstStage = new StageSettings { CallStageId = "stage", Model = "m", SystemPrompt = "Be kind." },
    };

    public StageSettings Stage { get => Settings.FirstStage; set => Settings = Settings with { FirstStage = value }; }

    public CallOutcome? Outcome => _run is { IsCompleted: true } ? _run.Result : null;

    public IReadOnlyList<Message> Messages => Journal.MessagesInOrder;

    public TimeSpan Now => FarEnd.Now;

    public CallPast? Past { get; init; }

    public TestStages Stages { get; } = new();

    /// <summary>Null: the stage is the call's first.</summary>
    public StageSettings? LaterStage { get; init; }

    public ConversationHarness Start()
    {
        var parts = new ConversationParts
        {
            Model = Model,
            ModelName = "test-model",
            Recognizer = HasRecognizer ? Ears ?? Recognizer : null,
            Voice = new AgentVoice(Voice ?? Synthesizer, "v", null),
            FallbackVoice = Fallback is null ? null : new AgentVoice(Fallback, "f", null),
            Tools = Tools,
            Journal = Journal,
            Pacer = _pacer,
            Clock = Clock,
            Logger = NullLogger.Instance,
            Recorder = Recorder,
            Options = Options,
            Past = Past,
            Stages = Stages,
        };
        _run = Task.Factory.StartNew(async () =>
        {
            await using var conversation = _conversation = new Conversation(new CallRun(Settings.CallId, 1), Settings, LaterStage ?? Settings.FirstStage, Port ?? FarEnd, parts);
            return await conversation.RunAsync(CancellationToken.None);
        }, CancellationToken.None, TaskCreationOptions.None, _pump).Unwrap();
        _pump.RunUntilIdle();
        return this;
    }

    /// <summary>The live call as its grain sees it.</summary>
    public ILiveCall Live => _conversation!;

    /// <summary>Queues speech of a human for the microphone: so much of a recording.</summary>
    public void Speak(TimeSpan duration) => Speak(HumanSpeech.Voiced(FarEnd.InputSampleRateHz, duration));

    public void Speak(ReadOnlySpan<short> pcm)
    {
        foreach (var sample in pcm) _speech.Enqueue(sample);
    }

    /// <summary>Whether queued speech is still being said.</summary>
    public bool IsSpeaking => _speech.Count > 0;

    public void Run(TimeSpan time)
    {
        for (var end = Now + time; Now < end && Outcome is null;) Tick();
    }

    public void Run(double seconds) => Run(TimeSpan.FromSeconds(seconds));

    /// <summary>Lets time pass until the condition holds.</summary>
    public void RunUntil(Func<bool> condition, double limitSeconds = 30)
    {
        var ticks = 0;
        for (var end = Now + TimeSpan.FromSeconds(limitSeconds); !condition();)
        {
            if (++ticks % 50 == 0) _pump.AwaitPool();
            Assert.True(Now < end, $"It did not happen within {limitSeconds} s. Messages: {string.Join(" | ", Messages.Select(m => $"{m.Role}:{m.Text}"))}. Sent: {string.Join("\n", FarEnd.Messages.TakeLast(12).Select(m => $"{m.At} {m.Message.ToJsonString()}"))}");
            if (FarEnd.IsClosed) AwaitOutcome();
            else Tick();
        }
    }

    /// <summary>The call is over but for cleaning up, which happens in real time while the fake clock stands still.</summary>
    private void AwaitOutcome()
    {
        var end = DateTime.UtcNow.AddSeconds(30);
        while (!_run!.IsCompleted)
        {
            Assert.True(DateTime.UtcNow < end, "The conversation did not finish.");
            _pump.RunUntilIdle();
            Thread.Yield();
        }
    }

    public void Client(string json)
    {
        FarEnd.Send(json);
        _pump.RunUntilIdle();
    }

    public void Tick()
    {
        Clock.Advance(Step);
        FarEnd.Play();
        if (MicrophoneOn || _speech.Count > 0)
        {
            Span<short> pcm = stackalloc short[FarEnd.InputSampleRateHz / 100];
            for (var i = 0; i < pcm.Length; i++) pcm[i] = _speech.TryDequeue(out var sample) ? sample : (short)0;
            FarEnd.Say(pcm);
        }
        _pump.RunUntilIdle();
        _pacer.TickOnce();
        _pump.RunUntilIdle();
    }

    /// <summary>The process stands still, its clock does not: timers are late, and the microphone's sound waits to be read.</summary>
    public void StandStill(TimeSpan time)
    {
        Clock.Advance(time);
        _pump.RunUntilIdle();
        var missed = new short[(int)(time.TotalSeconds * FarEnd.InputSampleRateHz)];
        for (var i = 0; i < missed.Length && _speech.TryDequeue(out var sample); i++) missed[i] = sample;
        FarEnd.Say(missed);
        _pump.RunUntilIdle();
    }

    public string? State => FarEnd.OfType("state").LastOrDefault()?["state"]?.GetValue<string>();

    public bool HasEvent(string type) => Journal.Events.Exists(item => item.Type == type);

    public static CallTool ClientTool(string name, params DynamicParameter[] parameters) => new()
    {
        CallToolId = name,
        Name = name,
        Definition = new CallToolDefinition { Client = new EmptyDetails(), DynamicParameters = parameters, Description = name },
    };

    public async ValueTask DisposeAsync()
    {
        if (_run is { IsCompleted: false })
        {
            FarEnd.Leave(MediaEnd.ClosedByClient);
            var end = DateTime.UtcNow.AddSeconds(30);
            while (!_run.IsCompleted && DateTime.UtcNow < end)
            {
                _pump.RunUntilIdle();
                Clock.Advance(Step);
                await Task.Yield();
            }
        }
        _pacer.Dispose();
    }
}

/// <summary>A journal in memory.</summary>
internal sealed class MemoryJournal : ICallJournal
{
    private readonly List<string> _stages = [];
    private readonly SortedDictionary<(int Stage, int Index), Message> _messages = [];

    public List<CallEvent> Events { get; } = [];
    public IReadOnlyList<Message> MessagesInOrder => [.. _messages.Values];

    public Dictionary<(string Stage, int Index), (Message Message, bool IsInitial)> All { get; } = [];
    public List<StageTokens> Tokens { get; } = [];

    public void Write(string callId, int generation, Message message, bool isInitial = false)
    {
        All[(message.CallStageId!, message.CallStageMessageIndex)] = (message, isInitial || (All.TryGetValue((message.CallStageId!, message.CallStageMessageIndex), out var known) && known.IsInitial));
        if (isInitial) return;
        if (!_stages.Contains(message.CallStageId!)) _stages.Add(message.CallStageId!);
        _messages[(_stages.IndexOf(message.CallStageId!), message.CallStageMessageIndex)] = message;
    }

    public void Write(string callId, int generation, StageTokens tokens) => Tokens.Add(tokens);
    public void Write(int generation, CallEvent callEvent) => Events.Add(callEvent);
    public Task FlushAsync(string callId, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Server-side tools that the test scripts.</summary>
internal sealed class TestTools : IToolInvoker
{
    public Func<Invocation, ToolContext, CancellationToken, Task<ToolOutcome>> Run { get; set; } =
        (_, _, _) => Task.FromResult(new ToolOutcome("done"));

    public List<string> Invoked { get; } = [];

    public Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        Invoked.Add(invocation.Tool.Name);
        return Run(invocation, context, cancellationToken);
    }
}
