using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Tests.Activations;

public sealed class MailboxTests
{
    private enum Kind
    {
        Normal,
        ReadOnly,
        Interleaving,
    }

    /// <summary>For any arrivals and endings, in any order: who runs together is allowed to, in order, and nobody waits who could run.</summary>
    [Fact]
    public void AnyHistory_KeepsTheRules()
    {
        // A non-negative step is an arrival of that kind; a negative one ends one of the running turns.
        var histories = Gen.Choose(-4, 2).ListOf().ToArbitrary();
        Prop.ForAll(histories, steps =>
        {
            var mailbox = new Mailbox(reentrant: false, capacity: int.MaxValue);
            var begun = new List<FakeTurn>();
            var arrived = 0;
            foreach (var step in steps)
            {
                if (step >= 0)
                    Arrive(new((Kind)step, arrived++));
                else if (mailbox.Running.Count > 0)
                    End(mailbox.Running[-step % mailbox.Running.Count]);
                Check();
            }
            while (mailbox.Running.Count > 0)
            {
                End(mailbox.Running[0]);
                Check();
            }
            Assert.True(mailbox.IsEmpty);
            Assert.Equal(arrived, begun.Count);
            Assert.Equal(begun.Where(turn => turn.Kind != Kind.Interleaving).OrderBy(turn => turn.Number), begun.Where(turn => turn.Kind != Kind.Interleaving));

            void Arrive(FakeTurn turn)
            {
                if (mailbox.MayBegin(turn))
                    Begin(turn);
                else
                    mailbox.Enqueue(turn);
            }

            void Begin(Turn turn)
            {
                mailbox.Begin(turn);
                begun.Add((FakeTurn)turn);
            }

            void End(Turn turn)
            {
                mailbox.End(turn);
                while (mailbox.TryTake(out var next))
                    Begin(next);
            }

            void Check()
            {
                var together = mailbox.Running.Cast<FakeTurn>().Where(turn => turn.Kind != Kind.Interleaving).ToList();
                Assert.True(together.Count <= 1 || together.TrueForAll(turn => turn.Kind == Kind.ReadOnly));
                Assert.DoesNotContain(mailbox.WaitingTurns, turn => turn.Interleaves);
                Assert.True(mailbox.Waiting == 0 || together.Count > 0);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void InterleavingTurnsThatWaitedForTheActivation_GoBeforeTheOthers()
    {
        var mailbox = new Mailbox(reentrant: false, capacity: 10);
        FakeTurn[] turns = [new(Kind.Normal, 0), new(Kind.Normal, 1), new(Kind.Interleaving, 2)];
        foreach (var turn in turns)
            mailbox.Enqueue(turn);

        var begun = new List<Turn>();
        while (mailbox.TryTake(out var next))
        {
            mailbox.Begin(next);
            begun.Add(next);
        }

        Assert.Equal([turns[2], turns[0]], begun);
    }

    private sealed class FakeTurn(Kind kind, int number) : Turn
    {
        public Kind Kind => kind;

        public int Number => number;

        public override bool Interleaves => kind == Kind.Interleaving;

        public override bool IsReadOnly => kind == Kind.ReadOnly;

        public override Task RunAsync(Activation activation) => throw new NotSupportedException();

        public override void Reject(Exception exception) => throw new NotSupportedException();
    }
}
