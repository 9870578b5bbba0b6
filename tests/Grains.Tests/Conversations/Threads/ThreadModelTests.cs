using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Calls.Conversations.Threads;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Random lives of a call's threads against a model of them that is small enough to be believed.</summary>
public class ThreadModelTests
{
    private static readonly string[] Ids = ["a", "b", "c", "d", "e"];

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (3, from id in Gen.Elements(Ids) from parent in Gen.Elements("UI", "a", "b", "nobody") from begin in Gen.Elements<Begin>(Begin.Idle, Begin.User, Begin.Tool) from replaces in Gen.Elements(true, false) select (Step)new Step.Spawn(id, parent, begin, replaces)),
        (4, from id in Gen.Elements(Ids) from urgency in Gen.Elements(Urgency.Immediate, Urgency.Soon, Urgency.Later) select (Step)new Step.Text(id, urgency)),
        (6, from at in Gen.Choose(0, 4) from tools in Gen.Elements(0, 0, 1, 2) select (Step)new Step.Generated(at, tools)),
        (1, from at in Gen.Choose(0, 4) select (Step)new Step.Failed(at)),
        (5, from at in Gen.Choose(0, 9) select (Step)new Step.ToolDone(at)),
        (1, from at in Gen.Choose(0, 9) select (Step)new Step.Stale(at)));

    [Fact]
    public void Threads_DoAsTheirModel()
        => Prop.ForAll(Steps.ArrayOf(60).ToArbitrary(), steps =>
        {
            var world = new World();
            foreach (var step in steps) world.Do(step);
            world.End();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    internal enum Begin { Idle, User, Tool }

    internal abstract record Step
    {
        internal sealed record Spawn(string Id, string Parent, Begin Begin, bool Replaces) : Step;
        internal sealed record Text(string Id, Urgency Urgency) : Step;
        internal sealed record Generated(int At, int Tools) : Step;
        internal sealed record Failed(int At) : Step;
        internal sealed record ToolDone(int At) : Step;
        internal sealed record Stale(int At) : Step;
    }

    /// <summary>A thread as it ought to be.</summary>
    private sealed class Expected
    {
        public CallThreadState State { get; set; }
        public int Waiting { get; set; }
        public bool SomeAskForAnAnswer { get; set; }
        public int Tools { get; set; }
    }

    private sealed class World : IThreadWork
    {
        private const int AtOnce = 2;
        private readonly Dictionary<string, Expected> _expected = [];
        private readonly List<string> _turns = [];             // the first two generate
        private readonly List<(CallThread Thread, long Generation, ModelRequest Request, CancellationToken Cancelled)> _requests = [];
        private readonly List<(CallThread Thread, Invocation Invocation, CancellationToken Cancelled)> _tools = [];
        private readonly List<ThreadSignal> _old = [];
        private readonly FarEnd _farEnd;
        private readonly CallThreads _threads;
        private int _ids;

        public World()
        {
            var clock = new ManualClock();
            _farEnd = new FarEnd(16_000, 16_000, TimeSpan.Zero, clock);
            var outbox = new Outbox(_farEnd, DataMessages.Default);
            var log = new CallEventLog(new CallRun("call", 1), "stage", new CallClock(clock), new MemoryJournal(), outbox);
            var options = new ConversationOptions { MaxGeneratingThreads = AtOnce, MaxThreads = 4, MaxModelRounds = 64 };
            _threads = new CallThreads(this, new ThreadReports(outbox, log, clock), options, clock, Fork, () => CallThreadState.Idle, _ => $"i{_ids++}", CancellationToken.None);
        }

        public void StartGeneration(CallThread thread, long generation, ModelRequest request, CancellationToken cancellationToken)
        {
            var open = request.Messages.Where(message => message.Role == ChatRole.ToolCall).Select(message => message.InvocationId)
                .Except(request.Messages.Where(message => message.Role == ChatRole.ToolResult).Select(message => message.InvocationId));
            Assert.Empty(open);
            _requests.Add((thread, generation, request, cancellationToken));
        }

        public void StartTool(CallThread thread, Invocation invocation, CancellationToken cancellationToken) => _tools.Add((thread, invocation, cancellationToken));

        public void GiveUp(string invocationId) { }

        public void Do(Step step)
        {
            switch (step)
            {
                case Step.Spawn spawn: Spawn(spawn); break;
                case Step.Text text: Text(text.Id, text.Urgency); break;
                case Step.Generated generated when _requests.Count > 0: Generated(_requests[generated.At % _requests.Count], generated.Tools); break;
                case Step.Failed failed when _requests.Count > 0: Fail(_requests[failed.At % _requests.Count]); break;
                case Step.ToolDone done when _tools.Count > 0: ToolDone(_tools[done.At % _tools.Count]); break;
                case Step.Stale stale when _old.Count > 0: _threads.On(_old[stale.At % _old.Count]); break;
            }
            Check(step);
        }

        public void End()
        {
            _threads.EndAll("over");
            _expected.Clear();
            _turns.Clear();
            Check(null);
            Assert.Equal(_farEnd.OfType("thread_spawned").Count(), _farEnd.OfType("thread_terminated").Count());
        }

        private void Spawn(Step.Spawn spawn)
        {
            var existing = _expected.GetValueOrDefault(spawn.Id);
            var parent = _expected.GetValueOrDefault(spawn.Parent);
            var refused = existing is { State: not CallThreadState.Failed } && !spawn.Replaces
                || spawn.Parent != "UI" && parent is null or { State: CallThreadState.Failed }
                || existing is null && _expected.Values.Count(thread => thread.State != CallThreadState.Failed) >= 4;
            var rejections = _farEnd.OfType("thread_rejected").Count();
            IReadOnlyList<ClientMessage> messages = spawn.Begin switch
            {
                Begin.User => [new ClientMessage.UserText("Go.", Urgency.Soon, "UI")],
                Begin.Tool => [new ClientMessage.ForcedAgent("", [new("x", "look", [])], [], false, Urgency.Soon, "UI")],
                _ => [new ClientMessage.ForcedAgent("Hello.", [], [], false, Urgency.Soon, "UI")],
            };
            _threads.Spawn(new ClientMessage.SpawnThread(spawn.Id, spawn.Parent, spawn.Replaces, messages, ThreadToolFilter.All, ThreadLimits.None));
            Assert.Equal(refused ? rejections + 1 : rejections, _farEnd.OfType("thread_rejected").Count());
            if (refused) return;
            if (existing is null && _expected.Count == 4) _expected.Remove(_expected.First(thread => thread.Value.State == CallThreadState.Failed).Key);
            _turns.Remove(spawn.Id);
            _expected.Remove(spawn.Id);
            var thread = _expected[spawn.Id] = new Expected();
            if (spawn.Begin == Begin.User) Generate(spawn.Id);
            if (spawn.Begin == Begin.Tool) (thread.State, thread.Tools) = (CallThreadState.CallingTool, 1);
        }

        private void Text(string id, Urgency urgency)
        {
            _threads.Send(id, new ClientMessage.UserText("Hm.", urgency, id));
            if (!_expected.TryGetValue(id, out var thread) || thread.State == CallThreadState.Failed || thread.Waiting == 16) return;
            thread.Waiting++;
            thread.SomeAskForAnAnswer |= urgency != Urgency.Later;
            if (thread.State == CallThreadState.Idle || (thread.State == CallThreadState.Generating && urgency == Urgency.Immediate)) Settle(id, thread);
        }

        private void Generated((CallThread Thread, long Generation, ModelRequest Request, CancellationToken) request, int tools)
        {
            var thread = _expected[request.Thread.Id];
            Send(new ThreadSignal.Output(request.Thread, request.Generation, new ModelDelta.Text("Well.")));
            for (var i = 0; i < tools; i++) Send(new ThreadSignal.Output(request.Thread, request.Generation, new ModelDelta.ToolCall("same", "look", "{}")));
            Send(new ThreadSignal.Output(request.Thread, request.Generation, null));
            _turns.Remove(request.Thread.Id);
            if (tools > 0) (thread.State, thread.Tools) = (CallThreadState.CallingTool, tools);
            else Settle(request.Thread.Id, thread);
        }

        private void Fail((CallThread Thread, long Generation, ModelRequest Request, CancellationToken) request)
        {
            Send(new ThreadSignal.Output(request.Thread, request.Generation, null, new ProviderException("m", ProviderFault.ServerError, "no")));
            _turns.Remove(request.Thread.Id);
            var thread = _expected[request.Thread.Id];
            (thread.State, thread.Waiting) = (CallThreadState.Failed, 0);
        }

        private void ToolDone((CallThread Thread, Invocation Invocation, CancellationToken) tool)
        {
            Send(new ThreadSignal.ToolFinished(tool.Thread, tool.Invocation, new ToolOutcome("done"), IsUnused: false));
            _tools.Remove(tool);
            var thread = _expected[tool.Thread.Id];
            if (--thread.Tools > 0) return;
            thread.SomeAskForAnAnswer = true;
            Settle(tool.Thread.Id, thread);
        }

        private void Settle(string id, Expected thread)
        {
            var answers = thread.SomeAskForAnAnswer;
            (thread.State, thread.Waiting, thread.SomeAskForAnAnswer) = (CallThreadState.Idle, 0, false);
            _turns.Remove(id);
            if (answers) Generate(id);
        }

        private void Generate(string id)
        {
            _expected[id].State = CallThreadState.Generating;
            _turns.Add(id);
        }

        private void Send(ThreadSignal signal)
        {
            _old.Add(signal);
            _threads.On(signal);
        }

        private void Check(Step? step)
        {
            var because = $"after {step}";
            Assert.Equal(_expected.Select(thread => $"{thread.Key} {thread.Value.State} {thread.Value.Waiting}"), _expected.Keys.Select(id => $"{id} {_threads.Find(id)?.State} {_threads.Find(id)?.Waiting}"));
            Assert.True(_expected.Count == _threads.Count, because);
            _requests.RemoveAll(request => request.Cancelled.IsCancellationRequested || request.Thread.State != CallThreadState.Generating || request.Generation != request.Thread.Generations);
            _tools.RemoveAll(tool => tool.Cancelled.IsCancellationRequested);
            Assert.Equal(_turns.Take(AtOnce).Order(), _requests.Select(request => request.Thread.Id).Order());
            Assert.Equal(_expected.Values.Sum(thread => thread.State == CallThreadState.CallingTool ? thread.Tools : 0), _tools.Count);
        }

        private static ThreadFork Fork() => new()
        {
            ModelName = "m",
            Tools = [new CallTool { CallToolId = "look", Name = "look", Definition = new CallToolDefinition { Http = new HttpToolDetails() } }],
            Messages = [new Message { Role = MessageRole.ToolCall, InvocationId = "open", ToolName = "look", Text = "{}" }],
            CallState = [],
        };
    }
}
