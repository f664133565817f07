const stats = document.querySelector('#stats');

async function refresh() {
  const answer = await fetch(`${import.meta.env.VITE_API_URL}/stats`);
  const { model, ready } = await answer.json();
  stats.textContent = ready ? `${model} is watching` : `${model} is not loaded`;
}

setInterval(refresh, 5000);
refresh();
