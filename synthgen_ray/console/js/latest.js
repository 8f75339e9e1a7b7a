/** Of calls that overlap the last one counts: what became of those before it is for nobody. */

export function latest() {
  let turns = 0;
  /** @template T @param {() => Promise<T>} ask @param {(answer: T) => void} show */
  return async (ask, show) => {
    const turn = ++turns;
    try {
      const answer = await ask();
      if (turn === turns) show(answer);
    } catch (error) {
      if (turn === turns) throw error;
    }
  };
}
